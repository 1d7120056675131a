// Addresses of this machine's devices, as iproute2 has them: Node tells only of devices that are up and have a carrier.
import { execFile } from 'node:child_process'

const TIMEOUT_MS = 5_000

export interface MachineAddresses {
  /** Device of each address, link-local ones and those of loopback networks left out; of devices that are up. */
  readonly up: ReadonlyMap<string, string>
  /** The same of devices that are down. */
  readonly down: ReadonlyMap<string, string>
}

interface IpLink {
  readonly ifname: string
  readonly flags: readonly string[]
  readonly addr_info: readonly { readonly local?: string }[]
}

/** Rejects with a sentence when `ip` cannot be asked. */
export async function readAddresses(): Promise<MachineAddresses> {
  const text = await new Promise<string>((resolve, reject) => {
    execFile('ip', ['-j', 'address', 'show'], { timeout: TIMEOUT_MS, killSignal: 'SIGKILL', maxBuffer: 64 << 20 }, (error: (Error & { readonly code?: string | number | null }) | null, stdout) => {
      if (error === null) resolve(stdout)
      else reject(new Error(error.code === 'ENOENT' ? 'ip is not installed' : error.message.trim()))
    })
  })
  return addressesIn(JSON.parse(text) as readonly IpLink[])
}

/** A VTEP's address may well be on the device lo; 127.0.0.1 is nobody's. */
export function addressesIn(links: readonly IpLink[]): MachineAddresses {
  const of = (isUp: boolean): ReadonlyMap<string, string> => new Map(links.filter(({ flags }) => flags.includes('UP') === isUp).flatMap(({ ifname, addr_info: addresses }) =>
    addresses.flatMap(({ local }) => (local === undefined || /^(fe[89ab][0-9a-f]:|127\.|::1$)/.test(local) ? [] : [[local, ifname] as const]))))
  return { up: of(true), down: of(false) }
}
