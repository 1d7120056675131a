// A workload of the lab with short, telling addresses.
import { withoutPrefix, type WorkloadSpec } from '../../lab/spec.js'

/** 02:00:00:00:00:<n>, 10.0.0.<n> and fd00::<n>, n up to 99 (the same digits everywhere, as hex and as decimal). */
export function workload(name: string, vni: number, n: number, vtep = 'c1', externalIds?: Readonly<Record<string, string>>): WorkloadSpec {
  const spec = { name, vtep, vni, mac: `02:00:00:00:00:${String(n).padStart(2, '0')}`, addresses: [`10.0.0.${n}/24`, `fd00::${n}/64`] }
  return externalIds === undefined ? spec : { ...spec, externalIds }
}

/** The rows that announce it (see announced), with other devices than the VNI's default ones if given. */
export function rowsOf({ mac, vni, addresses }: WorkloadSpec, device = `lo-${vni}`, bridge = `br-${vni}`): string[] {
  return [`${mac} ${device}`, ...addresses.map((address) => `${withoutPrefix(address)} ${mac} ${bridge}`)]
}
