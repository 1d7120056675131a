// The answer of ofproto/trace with names in place of numbers: our tables, ports, VNIs, groups, reasons for a drop. Text in, text out,
// and beside it what becomes of the packet. A packet may pass other bridges on its way, whose numbers mean something else.
import { groupName, isOurCookie, reasonName, TABLE, tableName } from '../../pipeline/names.js'

export interface TraceResult {
  /** With names, one line each. */
  readonly lines: readonly string[]
  /** Where copies go, in order: ports, and VTEPs behind tunnel ports. */
  readonly outputs: readonly string[]
  /** Reasons for which it was dropped. */
  readonly drops: readonly string[]
  /** The datapath is to hash the packet, and what follows is decided by that. */
  readonly isHashed: boolean
}

const COUNTED = new RegExp(`^\\s*${TABLE.DROP}\\. .*reg6=(0x[0-9a-f]+)`)

/** `ports`: names by OpenFlow port number of the bridge. */
export function nameTrace(text: string, bridge: string, ports: ReadonlyMap<number, string>): TraceResult {
  const portName = (number: string): string => ports.get(Number(number)) ?? number
  const raw = text.trimEnd().split('\n')
  const [lines, outputs, drops]: [string[], string[], string[]] = [[], [], []]
  /** Other bridges that the packet is in, by the indent of what it does there. */
  const away: number[] = []
  let vtep: string | undefined
  raw.forEach((line, at) => {
    const indent = line.length - line.trimStart().length
    while (line.trim() !== '' && (away.at(-1) ?? -1) > indent) away.pop()
    const entered = /^\s*bridge\("(.*)"\)$/.exec(line)?.[1]
    if (entered !== undefined && entered !== bridge) away.push(indent)
    if (away.length > 0) return void lines.push(line)
    const next = raw[at + 1] ?? ''
    vtep = /set_field:(\S+)->tun_(?:ipv6_)?dst/.exec(line)?.[1] ?? vtep
    const output = /^\s*output:(\d+)$/.exec(line)?.[1]
    if (output !== undefined && !next.includes('>> skipping output')) outputs.push(isTunnel(portName(output)) ? `VTEP ${vtep ?? '?'} by ${portName(output)}` : portName(output))
    const reason = COUNTED.exec(line)?.[1]
    if (reason !== undefined) drops.push(reasonName(Number(reason)) ?? reason)
    lines.push(nameLine(line, next, portName))
  })
  return { lines, outputs, drops, isHashed: /^Datapath actions: .*hash\(/m.test(text) && text.includes('-> no live bucket') }
}

function isTunnel(port: string): boolean {
  return port.startsWith('ovn-evpn-')
}

function nameLine(line: string, next: string, portName: (number: string) => string): string {
  const goesToPort = next.includes(`resubmit(,${TABLE.DELIVER})`)
  return line
    .replace(/^(\s*)(\d+)\. /, (all, indent: string, id: string) => (tableName(Number(id)) === undefined ? all : `${indent}${tableName(Number(id))}: `))
    .replace(/, cookie 0x([0-9a-f]+)$/, (all, cookie: string) => (isOurCookie(BigInt(`0x${cookie}`)) ? '' : `${all}, not ours`))
    .replace(/resubmit\(,(\d+)\)/g, (all, id: string) => (tableName(Number(id)) === undefined ? all : `resubmit(${tableName(Number(id))})`))
    .replace(/\bin_port=(\d+)/g, (_, number: string) => `in_port=${portName(number)}`)
    .replace(/\boutput:(\d+)$/, (_, number: string) => `output:${portName(number)}`)
    .replace(/\bgroup:(\d+)/g, (all, id: string) => named(all, 'group:', groupName(Number(id))))
    .replace(/\b(metadata|tun_id)=(0x[0-9a-f]+|\d+)(?!\/)/g, (_, field: string, value: string) => `${field}=VNI ${Number(value)}`)
    .replace(/set_field:(0x[0-9a-f]+|\d+)->(metadata|tun_id)\b/g, (_, value: string, field: string) => `set_field:VNI ${Number(value)}->${field}`)
    .replace(/set_field:(\S+)->(tun_(?:ipv6_)?dst)\b/g, 'set_field:VTEP $1->$2')
    .replace(/\breg6=(0x[0-9a-f]+)(?!\/)/g, (all, id: string) => named(all, 'reg6=', reasonName(Number(id))))
    .replace(/set_field:(0x[0-9a-f]+)->reg6\b/g, (all, id: string) => (reasonName(Number(id)) === undefined ? all : `set_field:${reasonName(Number(id))}->reg6`))
    .replace(/set_field:(0x[0-9a-f]+)->reg1\b/g, (all, id: string) => (goesToPort ? `set_field:${portName(id)}->reg1` : all))
    .replace(/^(\s*DELIVER: .*\breg1=)(0x[0-9a-f]+)/, (_, before: string, id: string) => before + portName(id))
}

function named(all: string, before: string, name: string | undefined): string {
  return name === undefined ? all : before + name
}
