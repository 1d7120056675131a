// How the daemon is started: as the service of the package, or by hand.
import fs from 'node:fs'
import path from 'node:path'

/** For whoever runs it without the package. */
export const START_BY_HAND = 'ovs-evpnd --detach --pidfile'

const START_SERVICE = 'systemctl start ovs-evpnd'

/** systemd looks into each; on many systems the first is a link to the second. */
const UNITS = ['/lib', '/usr/lib', '/etc'].map((place) => `${place}/systemd/system/ovs-evpnd.service`)

/** There while systemd runs (sd_booted(3)); a container may have the unit and no systemd. */
const BOOTED = '/run/systemd/system'

/** Where the unit's daemon has its socket. */
const RUN_DIRECTORIES = ['/run/openvswitch', '/var/run/openvswitch']

/** The command that starts the daemon whose control socket was looked for in `directory`. `root`: of the file system. */
export function startCommand(directory: string, root = '/'): string {
  const exists = (file: string): boolean => fs.existsSync(path.join(root, file))
  return RUN_DIRECTORIES.includes(directory) && exists(BOOTED) && UNITS.some(exists) ? START_SERVICE : START_BY_HAND
}
