// Which unix sockets somebody listens on, in the network namespace that we are in: proc(5), net/unix, readable without privilege.
import { readFileSync } from 'node:fs'

/** __SO_ACCEPTCON in the column Flags (net/unix/af_unix.c). */
const LISTENING = 0x10000

/** True when all of these sockets have somebody who listens; undefined when the kernel does not say. */
export function areListening(paths: readonly string[]): boolean | undefined {
  const table = readTable()
  if (table === undefined) return undefined
  const listening = listeningPaths(table, new Set(paths))
  return paths.every((path) => listening.has(path))
}

/** Those of `wanted` that are listened on. Columns: Num, RefCount, Protocol, Flags, Type, St, Inode, Path; /var/run is /run. */
export function listeningPaths(table: string, wanted: ReadonlySet<string>): Set<string> {
  const found = new Set<string>()
  for (const line of table.split('\n')) {
    const start = line.indexOf(' /')
    if (start < 0) continue
    const path = line.slice(start + 1).replace(/^\/var\/run\//, '/run/')
    if (wanted.has(path) && (parseInt(line.split(/\s+/)[3] ?? '', 16) & LISTENING) !== 0) found.add(path)
  }
  return found
}

function readTable(): string | undefined {
  try {
    return readFileSync('/proc/self/net/unix', 'utf8')
  } catch {
    return undefined
  }
}
