// Addresses of workloads: `MAC [IP...]`, comma lists of them, and the word `unknown`.
import t from 'tap'
import { parseAddresses } from '../../lib/config/address.js'
import { formatWarning } from '../../lib/config/warning.js'

const KEY = 'evpn-addresses'

function parse(text: string) {
  const told: string[] = []
  const { bound, unknown } = parseAddresses(KEY, text, (key, value, why) => told.push(formatWarning({ record: 'Interface vm1', key, value, why })))
  return { bound: bound.map(({ mac, ips }) => ({ mac, ips })), unknown, told, sources: bound.map(({ sources }) => sources) }
}

const GOOD = [
  { text: '', bound: [], unknown: false },
  { text: '02:00:00:00:00:01', bound: [{ mac: '02:00:00:00:00:01', ips: [] }], unknown: false },
  { text: '02:00:00:00:00:0A  10.0.0.1   2001:DB8::1', bound: [{ mac: '02:00:00:00:00:0a', ips: ['10.0.0.1', '2001:db8::1'] }], unknown: false },
  {
    text: '02:00:00:00:00:01 10.0.0.1, 02:00:00:00:00:02',
    bound: [{ mac: '02:00:00:00:00:01', ips: ['10.0.0.1'] }, { mac: '02:00:00:00:00:02', ips: [] }], unknown: false
  },
  { text: 'unknown', bound: [], unknown: true },
  { text: '02:00:00:00:00:01,unknown', bound: [{ mac: '02:00:00:00:00:01', ips: [] }], unknown: true },
  { text: ',, 02:00:00:00:00:01 ,', bound: [{ mac: '02:00:00:00:00:01', ips: [] }], unknown: false },
  { text: '02:00:00:00:00:01 169.254.1.1', bound: [{ mac: '02:00:00:00:00:01', ips: ['169.254.1.1'] }], unknown: false }
]

for (const { text, bound, unknown } of GOOD) {
  await t.test(`"${text}" is good`, (t) => {
    t.strictSame(parse(text), { bound, unknown, told: [], sources: bound.map(({ ips }) => (ips.length === 0 ? undefined : ips)) })
    t.end()
  })
}

await t.test('a MAC named twice is one, with the IPs of both, each once', (t) => {
  const { bound, told } = parse('02:00:00:00:00:01 10.0.0.1, 02:00:00:00:00:01 10.0.0.2 10.0.0.1')
  t.strictSame(bound, [{ mac: '02:00:00:00:00:01', ips: ['10.0.0.1', '10.0.0.2'] }])
  t.strictSame(told, [])
  t.end()
})

await t.test('IPv6 link-local is a good address of a workload, but never one to advertise', (t) => {
  const { bound, told, sources } = parse('02:00:00:00:00:01 fe80::1 2001:db8::1 febf::2')
  t.strictSame(bound, [{ mac: '02:00:00:00:00:01', ips: ['2001:db8::1'] }])
  t.strictSame(sources, [['fe80::1', '2001:db8::1', 'febf::2']], 'it may be sent from')
  t.strictSame(told, [])
  t.end()
})

await t.test('a MAC without IPs may be sent from with any, one with IPs from those only, even when all of them are misspelt', (t) => {
  t.strictSame(parse('02:00:00:00:00:01').sources, [undefined])
  t.strictSame(parse('02:00:00:00:00:01 10.0.0').sources, [[]], 'a slip opens nothing')
  t.strictSame(parse('02:00:00:00:00:01, 02:00:00:00:00:01 10.0.0.1').sources, [['10.0.0.1']])
  t.strictSame(parse('02:00:00:00:00:01 10.0.0.1, 02:00:00:00:00:01').sources, [['10.0.0.1']])
  t.end()
})

const NOT_A_MAC = 'write MAC [IP...], items separated by commas'
const BAD = [
  { item: '10.0.0.1', why: `"10.0.0.1" is no MAC address; ${NOT_A_MAC}` },
  { item: '02-00-00-00-00-01', why: `"02-00-00-00-00-01" is no MAC address; ${NOT_A_MAC}` },
  { item: 'Unknown', why: `"Unknown" is no MAC address; ${NOT_A_MAC}` },
  { item: '00:00:00:00:00:00', why: `the zero MAC is no address of a workload; ${NOT_A_MAC}` },
  { item: '01:00:5E:00:00:01', why: `"01:00:5e:00:00:01" is a multicast MAC; ${NOT_A_MAC}` },
  { item: 'ff:ff:ff:ff:ff:ff 10.0.0.1', why: `"ff:ff:ff:ff:ff:ff" is a multicast MAC; ${NOT_A_MAC}` },
  { item: '02:00:00:00:00:09 10.0.0', why: '"10.0.0" is no IP address', kept: true },
  { item: '02:00:00:00:00:09 10.0.0.1/24', why: '"10.0.0.1/24" is no IP address', kept: true },
  { item: '02:00:00:00:00:09 unknown', why: '"unknown" is no IP address', kept: true },
  { item: '02:00:00:00:00:09 224.0.0.1', why: '"224.0.0.1" is no address of a host', kept: true },
  { item: '02:00:00:00:00:09 ff02::1', why: '"ff02::1" is no address of a host', kept: true },
  { item: '02:00:00:00:00:09 0.0.0.0', why: '"0.0.0.0" is no address of a host', kept: true },
  { item: '02:00:00:00:00:09 ::', why: '"::" is no address of a host', kept: true }
]

for (const { item, why, kept = false } of BAD) {
  await t.test(`one warning for "${item}", and the other items stand`, (t) => {
    const text = `02:00:00:00:00:01 10.0.0.5,${item},02:00:00:00:00:02`
    const { bound, told } = parse(text)
    t.strictSame(told, [`Interface vm1 external_ids:evpn-addresses="${text}": ${why}`])
    t.strictSame(bound, [
      { mac: '02:00:00:00:00:01', ips: ['10.0.0.5'] },
      ...(kept ? [{ mac: '02:00:00:00:00:09', ips: [] }] : []),
      { mac: '02:00:00:00:00:02', ips: [] }
    ])
    t.end()
  })
}
