// How to start a daemon that does not run: the service where it is installed, else the program by hand.
import fs from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { formatDiagnosis, withoutDaemon } from '../../lib/cli/doctor/doctor.js'
import { startCommand } from '../../lib/cli/start.js'
import { notRunning } from '../../lib/cli/unreachable.js'
import { temporaryFolder } from '../control/chassis.js'

const [SERVICE, BY_HAND] = ['systemctl start ovs-evpnd', 'ovs-evpnd --detach --pidfile']
const [BOOTED, RUN] = ['/run/systemd/system/', '/var/run/openvswitch']

const CASES = [
  { what: 'the package of a system with /lib', has: [BOOTED, '/lib/systemd/system/ovs-evpnd.service'], directory: RUN, command: SERVICE },
  { what: 'the package of a system without', has: [BOOTED, '/usr/lib/systemd/system/ovs-evpnd.service'], directory: '/run/openvswitch', command: SERVICE },
  { what: 'a unit that the administrator put there', has: [BOOTED, '/etc/systemd/system/ovs-evpnd.service'], directory: RUN, command: SERVICE },
  { what: 'no unit', has: [BOOTED, '/lib/systemd/system/ovs-vswitchd.service'], directory: RUN, command: BY_HAND },
  { what: 'the unit where systemd does not run, as in a container', has: ['/lib/systemd/system/ovs-evpnd.service'], directory: RUN, command: BY_HAND },
  { what: 'the socket was looked for where the service has none', has: [BOOTED, '/lib/systemd/system/ovs-evpnd.service'], directory: '/tmp/lab', command: BY_HAND }
] as const

for (const { what, has, directory, command } of CASES) {
  await t.test(`${what}: ${command}`, (t) => {
    const root = temporaryFolder(t)
    for (const file of has) {
      fs.mkdirSync(path.join(root, path.dirname(`${file}.`)), { recursive: true })
      if (!file.endsWith('/')) fs.writeFileSync(path.join(root, file), '')
    }
    t.equal(startCommand(directory, root), command)
    const error = notRunning(`${directory}/ovs-evpnd.*.ctl`, 'nothing answers', root)
    t.equal(error.message, `ovs-evpnd is not running: tried ${directory}/ovs-evpnd.*.ctl, nothing answers; start it with: ${command}`)
    t.match(formatDiagnosis(withoutDaemon(error)), `\n  mend: ${command}\n`, 'doctor says the same')
    t.end()
  })
}
