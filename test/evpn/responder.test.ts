// Who answers ARP and ND for an IP.
import t from 'tap'
import { deriveResponder, type LocalIp } from '../../lib/evpn/responder.js'
import type { RemoteIp } from '../../lib/evpn/remote-ip.js'

const [VNI, IP, HERE, THERE] = [1000, '10.0.0.1', '02:00:00:00:00:01', '02:aa:00:00:00:01'] as const
const remote: RemoteIp = { vni: VNI, ip: IP, mac: THERE, router: true }
const up: LocalIp = { mac: HERE, isUp: true }
const down: LocalIp = { mac: HERE, isUp: false }

interface Case {
  readonly rule: string
  readonly remote?: RemoteIp
  readonly local?: LocalIp
  readonly preferLocal?: boolean
  readonly suppress?: boolean
  readonly answers: { readonly by: 'remote' | 'local', readonly mac: string, readonly router: boolean, readonly bound: string | undefined } | undefined
}

const LOCAL = { by: 'local', mac: HERE, router: false, bound: HERE } as const
const REMOTE = { by: 'remote', mac: THERE, router: true, bound: undefined } as const

const CASES: readonly Case[] = [
  { rule: 'nobody knows it: nobody answers', answers: undefined },
  { rule: 'known by EVPN alone', remote, answers: REMOTE },
  { rule: 'known by EVPN alone: the option changes nothing', remote, preferLocal: true, answers: REMOTE },
  { rule: 'bound here alone', local: up, answers: LOCAL },
  { rule: 'known on both sides: EVPN wins', remote, local: up, answers: { ...REMOTE, bound: HERE } },
  { rule: 'known on both sides, prefer-local: the binding wins', remote, local: up, preferLocal: true, answers: LOCAL },
  { rule: 'bound to a port that is missing: nobody answers', local: down, answers: undefined },
  { rule: 'bound to a port that is missing, prefer-local: EVPN answers', remote, local: down, preferLocal: true, answers: { ...REMOTE, bound: HERE } },
  { rule: 'evpn-suppress=false: nobody answers', remote, local: up, suppress: false, answers: undefined }
]

for (const { rule, remote, local, preferLocal = false, suppress = true, answers } of CASES) {
  await t.test(rule, (t) => {
    const responder = deriveResponder(VNI, IP, { suppress, arpPreferLocal: preferLocal }, remote, local)
    t.strictSame(responder, answers && { vni: VNI, ip: IP, ...answers })
    t.end()
  })
}
