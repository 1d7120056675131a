// `exit --cleanup`: everything we own leaves the switch, the kernel and OVSDB. An ordinary exit leaves all in place.
import type { Agent } from './agent.js'
import type { SwitchLink } from './switch-link.js'

/** Stops the agent and removes what is ours; what cannot be reached is left. Rejects when something refused. */
export async function cleanUp(agent: Agent, link: SwitchLink): Promise<void> {
  agent.stop()
  // A batch under way would be followed by the next, behind the wipe.
  agent.state.switch.disconnect()
  await link.wipe()
  await agent.state.kernel.removeAll()
  await agent.state.devices.removeAll()
  await agent.tunnels.removeAll()
}
