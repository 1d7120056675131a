// What cannot be beaten, measured with the stock tools: the tables of kernel and switch read once, and the very same flows added by
// ovs-ofctl in one bundle. No text comes here: who reads it would slow who writes it.
import type { Fabric } from './fabric.js'

const OFCTL = 'ovs-ofctl -O OpenFlow15'

/** Seconds of one raw dump of the kernel's FDB, and of all flows. */
export function readingFloor(fabric: Fabric): Promise<number> {
  return timed(fabric, `bridge fdb show > /dev/null && ${OFCTL} dump-flows br-int > /dev/null`)
}

/** Writes the flows of these tables to a file, as ovs-ofctl adds them, and gives its name. */
export async function saveFlows(fabric: Fabric, tables: readonly number[]): Promise<string> {
  const file = `${fabric.lab.host('c1').dir}/flows`
  await timed(fabric, `for table in ${tables.join(' ')}; do ${OFCTL} --no-names --no-stats dump-flows br-int table=$table; done | grep actions= > ${file}`)
  return file
}

/** Takes every flow and group out of the switch. */
export async function emptySwitch(fabric: Fabric): Promise<void> {
  await timed(fabric, `${OFCTL} del-flows br-int && ${OFCTL} del-groups br-int`)
}

/** Seconds that the switch alone takes for the flows of the file, empty before. */
export async function loadingFloor(fabric: Fabric, file: string): Promise<number> {
  await emptySwitch(fabric)
  return await timed(fabric, `${OFCTL} --bundle add-flows br-int ${file}`)
}

/** The same after a raw dump of the kernel's FDB. */
export async function coldFloor(fabric: Fabric, file: string): Promise<number> {
  await emptySwitch(fabric)
  return await timed(fabric, `bridge fdb show > /dev/null && ${OFCTL} --bundle add-flows br-int ${file}`)
}

async function timed(fabric: Fabric, commands: string): Promise<number> {
  const began = performance.now()
  await fabric.chassis.run(['sh', '-c', commands])
  return (performance.now() - began) / 1000
}
