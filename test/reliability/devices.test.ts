// The kernel's devices go and return: without anybody's help everything is announced and forwarded as before.
import { readFileSync } from 'node:fs'
import t from 'tap'
import { eventually, eventuallyHas } from '../system/util/eventually.js'
import { Patient, VNI, VTEP } from './util/patient.js'

const patient = await Patient.up()
const { lab, c1, speaker, dir } = patient

const ip = (...lines: readonly string[]): Promise<string> => c1.run(['ip', '-batch', '-'], { input: lines.join('\n') + '\n' })

await t.test('the kernel\'s devices, deleted and made again, and the bridge down and up: announced as before; one line each way', async (t) => {
  const start = readFileSync(`${dir}/ovs-evpnd.log`, 'utf8').length
  const said = (): string[] => readFileSync(`${dir}/ovs-evpnd.log`, 'utf8').slice(start).split('\n').filter((line) => /\|evpn\|/.test(line))
  await lab.removeVniDevices('c1', VNI)
  await eventuallyHas('the problems', () => c1.problems(), 'VNI 1000')
  await eventually('the remote MACs to go', () => patient.remoteMacs(), (flows) => flows.length === 0)
  await patient.away(t)
  await lab.addVniDevices('c1', VNI)
  await speaker.vtep(VNI, VTEP)
  await patient.announceMacs()
  await patient.asBefore('devices made again')
  await eventually('the problems to be over', said, (lines) => lines.filter((line) => line.includes('|INFO|no longer: ')).length === lines.filter((line) => line.includes('|WARN|')).length)
  const problems = said().flatMap((line) => line.split('|WARN|').slice(1))
  t.equal(new Set(problems).size, problems.length, `each said once: ${problems.join('; ')}`)
  t.strictSame(said().flatMap((line) => line.split('|INFO|no longer: ').slice(1)).sort(), problems.sort(), 'and once that it is over')
  for (const device of ['br-1000', 'lo-1000']) {
    await ip(`link set ${device} down`)
    await patient.away(t, 2)
    await ip(`link set ${device} up`)
    if (device === 'br-1000') await patient.announceMacs()
    await patient.asBefore(`${device} down and up`)
  }
})
