// The kernel's devices go and return: without anybody's help everything is announced and forwarded as before.
import { readFileSync } from 'node:fs'
import t from 'tap'
import { eventually, eventuallyHas } from '../system/util/eventually.js'
import { Patient, VNI, VTEP } from './util/patient.js'

const patient = await Patient.up()
const { lab, c1, speaker, dir } = patient

const ip = (...lines: readonly string[]): Promise<string> => c1.run(['ip', '-batch', '-'], { input: lines.join('\n') + '\n' })

/** What the daemon says of its VNIs from now on. */
function watchLog(): () => string[] {
  const start = readFileSync(`${dir}/ovs-evpnd.log`, 'utf8').length
  return () => readFileSync(`${dir}/ovs-evpnd.log`, 'utf8').slice(start).split('\n').filter((line) => /\|evpn\|/.test(line))
}

await t.test('the kernel\'s devices, deleted and made again: announced as before; one line each way', async (t) => {
  const said = watchLog()
  await lab.removeVniDevices('c1', VNI)
  await eventuallyHas('the problems', () => c1.problems(), 'VNI 1000')
  await eventually('the remote MACs to go', () => patient.remoteMacs(), (flows) => flows.length === 0)
  await patient.away(t)
  await lab.addVniDevices('c1', VNI)
  await speaker.vtep(VNI, VTEP)
  await patient.announceMacs()
  await patient.asBefore('devices made again')
  await eventually('the problems to be over', said, (lines) => lines.filter((line) => line.includes('|INFO|no longer: ')).length === lines.filter((line) => line.includes('|WARN|')).length)
  // One that is being deleted or made is down for a moment, which may be seen at either end, at both or not at all.
  const lines = said().filter((line) => !line.includes(' is down: '))
  const problems = lines.flatMap((line) => line.split('|WARN|').slice(1))
  t.equal(new Set(problems).size, problems.length, `each said once: ${problems.join('; ')}`)
  t.strictSame(lines.flatMap((line) => line.split('|INFO|no longer: ').slice(1)).sort(), problems.sort(), 'and once that it is over')
})

/** Each device, and the line that the log gets while it is down. */
const DOWN = [
  [`br-${VNI}`, `VNI ${VNI}: bridge br-${VNI} is down: no IPs are announced or read; set it with: ip link set br-${VNI} up`],
  [`vxlan-${VNI}`, `VNI ${VNI}: vxlan device vxlan-${VNI} is down: it holds no MACs; set it with: ip link set vxlan-${VNI} up`],
  [`lo-${VNI}`, undefined]
] as const

for (const [device, problem] of DOWN) {
  await t.test(`${device} down and up: as before; ${problem === undefined ? 'what stands on it stays, and nothing is said' : 'one line each way'}`, async (t) => {
    const said = watchLog()
    await ip(`link set ${device} down`)
    if (problem !== undefined) await eventuallyHas('it to be shown', () => c1.problems(), problem)
    await patient.away(t, 2)
    await ip(`link set ${device} up`)
    if (problem !== undefined) await patient.announceMacs()
    await patient.asBefore(`${device} down and up`)
    const lines = problem === undefined ? [] : [`|WARN|${problem}`, `|INFO|no longer: ${problem}`]
    await eventually('one line each way', said, (seen) => seen.length >= lines.length)
    t.strictSame(said().map((line) => line.slice(line.search(/\|(?:WARN|INFO)\|/))), lines)
  })
}
