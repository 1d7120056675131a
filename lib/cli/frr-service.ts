// FRR as its packages run it: one service, and a file that says which daemons it starts. Debian's leaves bgpd off, and then no restart
// of the service starts it.
import { readFile } from 'node:fs/promises'

/** Of the service; zebra starts whatever it says. */
export const DAEMONS_FILE = '/etc/frr/daemons'

/** The service's sockets. */
const RUN_DIRECTORIES: readonly (string | undefined)[] = [undefined, '/run/frr', '/var/run/frr']

/** True when the sockets in this directory, undefined for vtysh's own, are those of the service. */
export function isService(directory: string | undefined): boolean {
  return RUN_DIRECTORIES.includes(directory)
}

/** True when one of the routing daemon's sockets is FRR's: another speaker may be in its place. */
export function isFrr(speaker: readonly string[]): boolean {
  return speaker.some((path) => /\/(zserv\.api|zebra\.vty|bgpd\.vty)$/.test(path))
}

/** True when the service does not start bgpd; false as well when nobody may read the file. Never rejects. */
export async function leavesBgpdOff(file = DAEMONS_FILE): Promise<boolean> {
  const text = await readFile(file, 'utf8').catch(() => '')
  return /^bgpd=no\b/m.test(text)
}

/** Commands that start what does not run. `isBgpdOff`: the service leaves it off. */
export function startFrr(isBgpdOff: boolean): string[] {
  return [...(isBgpdOff ? [`sed -i 's/^bgpd=no/bgpd=yes/' ${DAEMONS_FILE}`] : []), 'systemctl restart frr']
}
