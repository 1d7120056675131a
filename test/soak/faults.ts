// What goes wrong in a soak: each fault by name, brought about and undone. What is undone is whole again some time later.
import { TABLE } from '../../lib/pipeline/tables.js'
import type { Lab } from '../lab/lab.js'
import { withoutPrefix } from '../lab/spec.js'
import { waitFor } from '../lab/wait.js'
import { Chassis } from '../system/util/chassis.js'
import type { Random } from '../walk/random.js'
import type { Fabric } from './fabric.js'

export interface Fault {
  readonly name: string
  readonly act: (fabric: Fabric, chassis: string, random: Random) => Promise<void>
  /** Nothing changes while it happens, because nobody would ever put it right. */
  readonly isQuiet?: boolean
}

async function pause(ms: number): Promise<void> {
  await waitFor('the pause to end', ((until) => () => Date.now() >= until)(Date.now() + ms), ms + 10_000)
}

function restart(service: Parameters<Lab['startService']>[1], signal: NodeJS.Signals): Fault {
  return {
    name: `${signal} ${service}`,
    act: async ({ lab }, chassis) => {
      await lab.stopService(chassis, service, signal)
      await pause(500)
      await lab.startService(chassis, service)
    }
  }
}

/**
 * bgpd tells a new zebra nothing of what it told the old one: it starts anew with it, as watchfrr sees to. What a killed one left
 * in the kernel the next one does not know: a MAC that went meanwhile would stay there for good (FRR 8.4).
 */
function zebraEnds(signal: NodeJS.Signals): Fault {
  return {
    name: `${signal} zebra`,
    isQuiet: signal === 'SIGKILL',
    act: async ({ lab }, chassis) => {
      await lab.stopService(chassis, 'zebra', signal)
      await pause(500)
      await lab.stopService(chassis, 'bgpd')
      for (const service of ['zebra', 'bgpd'] as const) await lab.startService(chassis, service)
    }
  }
}

function daemonEnds(signal: NodeJS.Signals): Fault {
  return {
    name: `${signal} ovs-evpnd`,
    act: async (fabric, chassis) => {
      await fabric.daemons.get(chassis)?.stop(signal)
      await pause(500)
      fabric.daemons.set(chassis, await fabric.lab.startDaemon(chassis))
    }
  }
}

export const FAULTS: readonly Fault[] = [
  { name: 'nothing', act: () => pause(1000) },
  daemonEnds('SIGKILL'),
  daemonEnds('SIGTERM'),
  restart('ovs-vswitchd', 'SIGKILL'),
  restart('ovs-vswitchd', 'SIGTERM'),
  restart('ovsdb-server', 'SIGKILL'),
  restart('bgpd', 'SIGKILL'),
  restart('bgpd', 'SIGTERM'),
  zebraEnds('SIGKILL'),
  zebraEnds('SIGTERM'),
  {
    name: 'ovs-evpnd and FRR restarted',
    act: async (fabric, chassis) => {
      await fabric.daemons.get(chassis)?.stop()
      for (const service of ['bgpd', 'zebra'] as const) await fabric.lab.stopService(chassis, service)
      await pause(500)
      fabric.daemons.set(chassis, await fabric.lab.startDaemon(chassis))
      for (const service of ['zebra', 'bgpd'] as const) await fabric.lab.startService(chassis, service)
    }
  },
  {
    name: 'flows of a table deleted',
    act: async ({ lab }, chassis, random) => {
      await new Chassis(lab, chassis).ofctl('del-flows', 'br-int', `table=${random.pick(Object.values(TABLE))}`)
    }
  },
  { name: 'all groups deleted', act: async ({ lab }, chassis) => { await new Chassis(lab, chassis).ofctl('del-groups', 'br-int') } },
  {
    name: 'kernel rows of ours deleted',
    act: async ({ lab }, chassis) => {
      const here = lab.plan.workloads.filter(({ vtep }) => vtep === chassis)
      const ips = here.flatMap(({ vni, addresses }) => addresses.map((address) => `neigh del ${withoutPrefix(address)} dev br-${vni}`))
      await lab.exec(chassis, ['ip', '-force', '-batch', '-'], { input: ips.join('\n') + '\n', allowFailure: true })
      const macs = here.map(({ mac, vni }) => `fdb del ${mac} dev lo-${vni} master`)
      await lab.exec(chassis, ['bridge', '-force', '-batch', '-'], { input: macs.join('\n') + '\n', allowFailure: true })
    }
  },
  {
    name: 'ovs-evpnd stopped for 3 s',
    act: async ({ daemons }, chassis) => {
      const pid = daemons.get(chassis)?.pid
      if (pid === undefined) return
      process.kill(pid, 'SIGSTOP')
      try {
        await pause(3000)
      } finally {
        process.kill(pid, 'SIGCONT')
      }
    }
  },
  {
    name: 'devices of a VNI made again',
    act: async ({ lab }, chassis, random) => {
      const vni = random.pick(lab.plan.vnis)
      await lab.removeVniDevices(chassis, vni)
      await pause(500)
      await lab.addVniDevices(chassis, vni)
    }
  },
  {
    name: 'kernel bridge down and up',
    act: async ({ lab }, chassis, random) => {
      const vni = random.pick(lab.plan.vnis)
      await lab.exec(chassis, ['ip', 'link', 'set', `br-${vni}`, 'down'])
      await lab.exec(chassis, ['ip', 'link', 'set', `br-${vni}`, 'up'])
    }
  },
  {
    name: 'a storm of 20,000 notifications',
    act: async ({ lab }, chassis) => {
      const input = Array.from({ length: 20_000 }, (_, i) => `link set lo-${lab.plan.vnis[0]} alias ${i % 2}`).join('\n') + '\n'
      await lab.exec(chassis, ['ip', '-batch', '-'], { input })
    }
  },
  {
    name: 'tunnel port deleted',
    act: async ({ lab }, chassis) => {
      await lab.exec(chassis, ['ovs-vsctl', '--timeout=10', '--if-exists', 'del-port', 'br-int', 'ovn-evpn-4789'])
    }
  }
]
