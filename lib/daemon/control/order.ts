// The order of rows in every list: by VNI, then by address as a number or by name, so that two runs can be compared line by line.
import { ipToBytes, type Ip } from '../../net/ip.js'

interface OfVni {
  readonly vni: number | null
}

/** Rows in the order of VNI (those without one last), then of `key`, compared as text. */
export function sortRows<Row extends OfVni>(rows: readonly Row[], key: (row: Row) => string): Row[] {
  return rows
    .map(row => ({ row, vni: row.vni ?? Infinity, key: key(row) }))
    .sort((a, b) => (a.vni === b.vni ? compareText(a.key, b.key) : a.vni - b.vni))
    .map(({ row }) => row)
}

/** IPs as numbers, IPv4 before IPv6. */
export function sortIps(ips: readonly Ip[]): Ip[] {
  return ips.map(ip => ({ ip, key: ipOrder(ip) })).sort((a, b) => compareText(a.key, b.key)).map(({ ip }) => ip)
}

/** Text that orders IPs as numbers, IPv4 before IPv6. */
export function ipOrder(ip: Ip): string {
  const bytes = ipToBytes(ip)
  return (bytes.length === 4 ? '4' : '6') + bytes.toString('hex')
}

function compareText(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
