// What FRR's service starts, and how what it leaves off is started.
import fs from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { isFrr, isService, leavesBgpdOff, startFrr } from '../../lib/cli/frr-service.js'
import { temporaryFolder } from '../control/chassis.js'

const FILES = [
  { what: 'as Debian has it', text: '# comment: bgpd=no\nbgpd=no\nospfd=no\n', isOff: true },
  { what: 'with a word behind it', text: 'bgpd=no # not yet\n', isOff: true },
  { what: 'as README.md leaves it', text: 'bgpd=yes\nospfd=no\n', isOff: false },
  { what: 'with a comment only', text: '#bgpd=no\nbgpd_options="-A 127.0.0.1"\n', isOff: false }
] as const

for (const { what, text, isOff } of FILES) {
  await t.test(`the list of daemons ${what}: bgpd is ${isOff ? '' : 'not '}left off`, async (t) => {
    const file = path.join(temporaryFolder(t), 'daemons')
    fs.writeFileSync(file, text)
    t.equal(await leavesBgpdOff(file), isOff)
  })
}

await t.test('a list that is not there, or may not be read, says nothing', async (t) => {
  t.equal(await leavesBgpdOff(path.join(temporaryFolder(t), 'daemons')), false)
  t.equal(await leavesBgpdOff(temporaryFolder(t)), false)
})

await t.test('sockets elsewhere are not those of the service', (t) => {
  t.strictSame([undefined, '/run/frr', '/var/run/frr', '/run/lab/c1/frr'].map(isService), [true, true, true, false])
  t.end()
})

await t.test('a speaker is FRR by the name of its sockets, wherever they are', (t) => {
  t.strictSame([['/run/frr/zserv.api', '/run/frr/bgpd.vty'], ['/run/lab/frr/zebra.vty'], ['/run/bird.ctl'], []].map(isFrr), [true, true, false, false])
  t.end()
})

await t.test('a restart alone does not start what is left off: the list comes first, in README.md\'s words', (t) => {
  t.strictSame(startFrr(false), ['systemctl restart frr'])
  const commands = startFrr(true)
  t.equal(commands.length, 2)
  t.match(fs.readFileSync('README.md', 'utf8'), `\n${commands.join('\n')}\n`)
  t.end()
})
