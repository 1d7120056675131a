// Matches and actions as values, each with the text ovs-ofctl prints for it. The fixtures hold the bytes for each text.
import { encodeMatch, RESERVED_PORTS, type Action, type Match } from '../../lib/openflow/index.js'

const MAC = '02:00:00:00:00:01'
const ND = { eth_type: 0x86dd, nw_proto: 58 } as const

export const MATCHES: readonly (readonly [text: string, match: Match])[] = [
  ['in_port=1', { in_port: 1 }],
  ['in_port=LOCAL', { in_port: RESERVED_PORTS.local }],
  ['metadata=0x3e8', { metadata: 1000 }],
  ['metadata=0', { metadata: 0n }],
  ['metadata=0xffffffffffffffff', { metadata: 0xffffffffffffffffn }],
  ['tun_id=0x3e8,in_port=3', { in_port: 3, tun_id: 1000 }],
  ['tun_id=0x3e8,tun_src=192.0.2.1,tun_dst=192.0.2.2,in_port=3', { in_port: 3, tun_id: 1000, tun_src: '192.0.2.1', tun_dst: '192.0.2.2' }],
  [
    'tun_id=0,tun_ipv6_src=2001:db8::1,tun_ipv6_dst=2001:db8::2,in_port=3',
    { in_port: 3, tun_id: 0, tun_ipv6_src: '2001:db8::1', tun_ipv6_dst: '2001:db8::2' }
  ],
  ['dl_dst=02:00:00:00:00:01', { eth_dst: MAC }],
  ['dl_dst=01:00:00:00:00:00/01:00:00:00:00:00', { eth_dst: ['01:00:00:00:00:00', '01:00:00:00:00:00'] }],
  ['dl_dst=01:80:c2:00:00:00/ff:ff:ff:ff:ff:f0', { eth_dst: ['01:80:c2:00:00:00', 'ff:ff:ff:ff:ff:f0'] }],
  ['dl_src=01:00:00:00:00:00/01:00:00:00:00:00', { eth_src: ['01:00:00:00:00:00', '01:00:00:00:00:00'] }],
  ['metadata=0x3e8,dl_src=02:00:00:00:00:01,dl_dst=02:00:00:00:00:01', { eth_dst: MAC, metadata: 1000, eth_src: MAC }],
  ['reg0=0x1/0x1', { reg0: [1, 1] }],
  ['reg0=0x1/0x3,metadata=0x3e8', { reg0: [1, 3], metadata: 1000 }],
  ['reg0=0x1/0x1,reg1=0x5', { reg1: 5, reg0: [1, 1] }],
  ['reg0=0x1,reg1=0x5', { reg0: 1, reg1: 5 }],
  ['reg1=0x5', { reg1: 5 }],
  ['reg2=0x1,reg3=0x2,reg15=0x4/0x4', { xreg1: 0x100000002n, reg15: [4, 4] }],
  ['reg4=0,reg5=0,reg6=0,reg7=0x5', { xxreg1: 5n }],
  ['vlan_tci=0x1000/0x1000', { vlan_tci: [0x1000, 0x1000] }],
  ['vlan_tci=0x0000/0x1000', { vlan_tci: [0, 0x1000] }],
  ['vlan_tci=0x0000/0x1fff', { vlan_vid: 0 }],
  ['dl_vlan=100', { vlan_vid: 0x1064 }],
  ['dl_vlan=100,dl_vlan_pcp=3', { vlan_vid: 0x1064, vlan_pcp: 3 }],
  ['in_port=1,dl_vlan=4094', { vlan_vid: 0x1ffe, in_port: 1 }],
  ['dl_vlan=100,dl_vlan_pcp=7', { vlan_tci: 0xf064 }],
  ['arp,arp_tpa=10.0.0.1,arp_op=1', { eth_type: 0x0806, arp_op: 1, arp_tpa: '10.0.0.1' }],
  [
    'arp,metadata=0x5,arp_spa=10.0.0.0/24,arp_op=2,arp_sha=02:00:00:00:00:01,arp_tha=02:00:00:00:00:01',
    { metadata: 5, eth_type: 0x0806, arp_op: 2, arp_spa: ['10.0.0.0', '255.255.255.0'], arp_sha: MAC, arp_tha: MAC }
  ],
  [
    'icmp6,icmp_type=135,icmp_code=0,nd_target=fe80::1,nd_sll=02:00:00:00:00:01',
    { ...ND, icmpv6_type: 135, icmpv6_code: 0, nd_target: 'fe80::1', nd_sll: MAC }
  ],
  [
    'icmp6,icmp_type=136,nd_target=fe80::1,nd_tll=02:00:00:00:00:01,nd_reserved=5,nd_options_type=2',
    { ...ND, icmpv6_type: 136, nd_target: 'fe80::1', nd_tll: MAC, nd_reserved: 5, nd_options_type: 2 }
  ],
  ['icmp6,ipv6_src=::,icmp_type=135', { ...ND, icmpv6_type: 135, ipv6_src: '::' }],
  ['udp,tp_src=67,tp_dst=68', { eth_type: 0x0800, ip_proto: 17, udp_src: 67, udp_dst: 68 }],
  ['udp6,tp_dst=547', { eth_type: 0x86dd, nw_proto: 17, udp_dst: 547 }],
  ['tcp,tp_dst=0x50/0xfff0', { eth_type: 0x0800, nw_proto: 6, tcp_dst: [0x50, 0xfff0] }],
  ['sctp,tp_dst=5', { eth_type: 0x0800, nw_proto: 132, sctp_dst: 5 }],
  ['icmp,icmp_type=8,icmp_code=0', { eth_type: 0x0800, nw_proto: 1, icmp_type: 8, icmp_code: 0 }],
  ['ip,nw_proto=47', { eth_type: 0x0800, nw_proto: 47 }],
  [
    'ip,nw_src=10.0.0.0/8,nw_dst=1.2.3.4,nw_tos=16,nw_ecn=1,nw_ttl=64',
    { eth_type: 0x0800, nw_src: ['10.0.0.0', '255.0.0.0'], nw_dst: '1.2.3.4', nw_ttl: 64, ip_dscp: 4, nw_ecn: 1 }
  ],
  [
    'ipv6,ipv6_src=2001:db8::/32,ipv6_dst=::1,ipv6_label=0x00005',
    { eth_type: 0x86dd, ipv6_src: ['2001:db8::', 'ffff:ffff::'], ipv6_dst: '::1', ipv6_label: 5 }
  ],
  ['ip,nw_src=10.0.0.1/255.0.0.255', { eth_type: 0x0800, ip_src: ['10.0.0.1', '255.0.0.255'] }],
  ['dl_type=0x88cc', { eth_type: 0x88cc }],
  ['mpls,mpls_label=5,mpls_tc=2,mpls_bos=1', { eth_type: 0x8847, mpls_label: 5, mpls_bos: 1, mpls_tc: 2 }],
  ['pkt_mark=0x1/0x1', { pkt_mark: [1, 1] }],
  ['tun_id=0x5/0xff', { tun_id: [5, 0xff] }],
  ['conj_id=7', { conj_id: 7 }],
  ['tun_gbp_id=5', { tun_gbp_id: 5 }],
  ['ct_zone=5,ct_mark=0x1/0x3', { ct_zone: 5, ct_mark: [1, 3] }]
]

/** Bytes of the matches that some actions need. */
export const PREREQUISITES: Readonly<Record<string, Buffer>> = {
  'dl_vlan=100': encodeMatch({ vlan_vid: 0x1064 }),
  arp: encodeMatch({ eth_type: 0x0806 }),
  ip: encodeMatch({ eth_type: 0x0800 }),
  ...Object.fromEntries([135, 136].map((type) => [`icmp6,icmp_type=${type}`, encodeMatch({ ...ND, icmpv6_type: type })]))
}

/** Actions that any flow can have, or, with a match, only flows of that match. */
export const ACTIONS: readonly (readonly [text: string, actions: readonly Action[], match?: string])[] = [
  ['set_field:0x3e8->metadata', [{ kind: 'set_field', field: 'metadata', value: 1000 }]],
  ['set_field:0->metadata', [{ kind: 'set_field', field: 'metadata', value: 0 }]],
  ['set_field:0x1/0x1->reg0', [{ kind: 'set_field', field: 'reg0', value: 1, mask: 1 }]],
  ['set_field:0/0x3->reg0', [{ kind: 'set_field', field: 'reg0', value: 0xf0, mask: 3 }]],
  ['set_field:0x5->reg1', [{ kind: 'set_field', field: 'reg1', value: 5 }]],
  ['set_field:0x5->xxreg0', [{ kind: 'set_field', field: 'xxreg0', value: 5n }]],
  ['set_field:192.0.2.1->tun_dst', [{ kind: 'set_field', field: 'tun_dst', value: '192.0.2.1' }]],
  ['set_field:192.0.2.1->tun_src', [{ kind: 'set_field', field: 'tun_src', value: '192.0.2.1' }]],
  ['set_field:0x3e8->tun_id', [{ kind: 'set_field', field: 'tun_id', value: 1000 }]],
  ['set_field:2001:db8::1->tun_ipv6_dst', [{ kind: 'set_field', field: 'tun_ipv6_dst', value: '2001:db8::1' }]],
  ['set_field:2001:db8::1->tun_ipv6_src', [{ kind: 'set_field', field: 'tun_ipv6_src', value: '2001:db8::1' }]],
  ['set_field:ANY->in_port', [{ kind: 'set_field', field: 'in_port', value: RESERVED_PORTS.none }]],
  ['set_field:3->in_port', [{ kind: 'set_field', field: 'in_port', value: 3 }]],
  ['set_field:02:00:00:00:00:01->eth_dst', [{ kind: 'set_field', field: 'eth_dst', value: MAC }]],
  [
    'set_field:00:00:00:00:00:01/00:00:00:ff:ff:ff->eth_dst',
    [{ kind: 'set_field', field: 'eth_dst', value: MAC, mask: '00:00:00:ff:ff:ff' }]
  ],
  ['resubmit(,4)', [{ kind: 'resubmit', table: 4 }]],
  ['resubmit(1,4)', [{ kind: 'resubmit', table: 4, inPort: 1 }]],
  ['resubmit:1', [{ kind: 'resubmit', inPort: 1 }]],
  ['output:2', [{ kind: 'output', port: 2 }]],
  ['output:1,output:2,IN_PORT', [{ kind: 'output', port: 1 }, { kind: 'output', port: 2 }, { kind: 'output', port: 'in_port' }]],
  ['LOCAL', [{ kind: 'output', port: 'local' }]],
  ['NORMAL', [{ kind: 'output', port: 'normal' }]],
  ['CONTROLLER:65535', [{ kind: 'output', port: 'controller' }]],
  ['CONTROLLER:64', [{ kind: 'output', port: 'controller', maxLen: 64 }]],
  ['output:NXM_NX_REG0[]', [{ kind: 'output_field', src: { field: 'reg0' } }]],
  ['group:5', [{ kind: 'group', group: 5 }]],
  ['meter:1', [{ kind: 'meter', meter: 1 }]],
  [
    'push_vlan:0x8100,set_field:4196->vlan_vid,output:2',
    [{ kind: 'push_vlan', ethertype: 0x8100 }, { kind: 'set_field', field: 'vlan_vid', value: 0x1064 }, { kind: 'output', port: 2 }]
  ],
  ['pop_vlan,output:2', [{ kind: 'pop_vlan' }, { kind: 'output', port: 2 }], 'dl_vlan=100'],
  ['set_field:3->vlan_pcp', [{ kind: 'set_field', field: 'vlan_pcp', value: 3 }], 'dl_vlan=100'],
  ['move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[]', [{ kind: 'move', src: { field: 'eth_src' }, dst: { field: 'eth_dst' } }]],
  [
    'move:NXM_OF_IN_PORT[]->NXM_NX_REG1[0..15]',
    [{ kind: 'move', src: { field: 'in_port' }, dst: { field: 'reg1', offset: 0, bits: 16 } }]
  ],
  [
    'move:NXM_NX_REG0[0..15]->NXM_NX_REG1[16..31]',
    [{ kind: 'move', src: { field: 'reg0', offset: 0, bits: 16 }, dst: { field: 'reg1', offset: 16, bits: 16 } }]
  ],
  [
    'move:NXM_NX_TUN_ID[0..23]->OXM_OF_METADATA[0..23]',
    [{ kind: 'move', src: { field: 'tun_id', offset: 0, bits: 24 }, dst: { field: 'metadata', offset: 0, bits: 24 } }]
  ],
  [
    'set_field:2->arp_op,move:NXM_NX_ARP_SHA[]->NXM_NX_ARP_THA[],set_field:02:00:00:00:00:01->arp_sha,'
    + 'move:NXM_OF_ARP_SPA[]->NXM_OF_ARP_TPA[],set_field:10.0.0.1->arp_spa',
    [
      { kind: 'set_field', field: 'arp_op', value: 2 },
      { kind: 'move', src: { field: 'arp_sha' }, dst: { field: 'arp_tha' } },
      { kind: 'set_field', field: 'arp_sha', value: MAC },
      { kind: 'move', src: { field: 'arp_spa' }, dst: { field: 'arp_tpa' } },
      { kind: 'set_field', field: 'arp_spa', value: '10.0.0.1' }
    ],
    'arp'
  ],
  [
    'set_field:3758096384->nd_reserved,set_field:2->nd_options_type,set_field:136->icmpv6_type,move:NXM_NX_ND_TARGET[]->NXM_NX_IPV6_SRC[]',
    [
      { kind: 'set_field', field: 'nd_reserved', value: 0xe0000000 },
      { kind: 'set_field', field: 'nd_options_type', value: 2 },
      { kind: 'set_field', field: 'icmpv6_type', value: 136 },
      { kind: 'move', src: { field: 'nd_target' }, dst: { field: 'ipv6_src' } }
    ],
    'icmp6,icmp_type=135'
  ],
  [
    'move:NXM_NX_XXREG0[80..127]->NXM_NX_ND_TLL[]',
    [{ kind: 'move', src: { field: 'xxreg0', offset: 80, bits: 48 }, dst: { field: 'nd_tll' } }],
    'icmp6,icmp_type=136'
  ],
  ['dec_ttl', [{ kind: 'dec_ttl' }], 'ip'],
  ['set_queue:3', [{ kind: 'set_queue', queue: 3 }]],
  ['check_pkt_larger(86)->NXM_NX_REG0[5]', [{ kind: 'check_pkt_larger', bytes: 86, dst: { field: 'reg0', offset: 5, bits: 1 } }]],
  ['conjunction(7,1/2)', [{ kind: 'conjunction', id: 7, clause: 0, clauses: 2 }], 'ip'],
  [
    'clone(set_field:0x3->reg0,output:2)',
    [{ kind: 'clone', actions: [{ kind: 'set_field', field: 'reg0', value: 3 }, { kind: 'output', port: 2 }] }]
  ],
  ['exit', [{ kind: 'exit' }]],
  ['ct_clear', [{ kind: 'ct_clear' }]],
  ['controller(id=3)', [{ kind: 'controller', controllerId: 3 }]],
  ['controller(reason=no_match,max_len=40)', [{ kind: 'controller', maxLen: 40, reason: 0 }]],
  [
    'controller(reason=no_match,max_len=60,id=2,userdata=aa.bb.cc,pause,meter_id=1)',
    [{ kind: 'controller', maxLen: 60, controllerId: 2, reason: 0, userdata: Buffer.from('aabbcc', 'hex'), pause: true, meter: 1 }]
  ],
  [
    'learn(table=10,hard_timeout=300,priority=100,delete_learned,cookie=0x5,limit=1000,OXM_OF_METADATA[],NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],'
    + 'load:OXM_OF_IN_PORT[]->NXM_NX_REG1[],load:0x1->NXM_NX_REG0[3],eth_type=0x800,output:NXM_OF_IN_PORT[])',
    [{
      kind: 'learn', table: 10, hardTimeout: 300, priority: 100, deleteLearned: true, cookie: 5n, limit: 1000,
      specs: [
        { kind: 'match', dst: { field: 'metadata' }, src: { field: 'metadata' } },
        { kind: 'match', dst: { field: 'eth_dst' }, src: { field: 'eth_src' } },
        { kind: 'load', dst: { field: 'reg1' }, src: { field: 'in_port_oxm' } },
        { kind: 'load', dst: { field: 'reg0', offset: 3, bits: 1 }, src: { value: 1 } },
        { kind: 'match', dst: { field: 'eth_type' }, src: { value: 0x0800 } },
        { kind: 'output', src: { field: 'in_port' } }
      ]
    }]
  ],
  [
    'learn(table=10,idle_timeout=5,fin_idle_timeout=1,fin_hard_timeout=2,send_flow_rem,in_port=3,NXM_OF_VLAN_TCI[0..11],'
    + 'load:NXM_NX_TUN_IPV4_SRC[]->NXM_NX_TUN_IPV4_DST[],eth_dst=02:00:00:00:00:01,NXM_NX_REG0[0..19]=0x5)',
    [{
      kind: 'learn', table: 10, idleTimeout: 5, finIdleTimeout: 1, finHardTimeout: 2, sendFlowRemoved: true,
      specs: [
        { kind: 'match', dst: { field: 'in_port' }, src: { value: 3 } },
        { kind: 'match', dst: { field: 'vlan_tci', offset: 0, bits: 12 }, src: { field: 'vlan_tci', offset: 0, bits: 12 } },
        { kind: 'load', dst: { field: 'tun_dst' }, src: { field: 'tun_src' } },
        { kind: 'match', dst: { field: 'eth_dst' }, src: { value: MAC } },
        { kind: 'match', dst: { field: 'reg0', offset: 0, bits: 20 }, src: { value: 5 } }
      ]
    }]
  ]
]
