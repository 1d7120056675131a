// What an operation of a walk is.
import type { Chassis } from '../chassis.js'
import type { Random } from '../random.js'

/** Does something to the world; what it did in words, or undefined when there was nothing to do it to. */
export type Operation = (chassis: Chassis, r: Random) => string | undefined | Promise<string | undefined>

/** Operations, each as often as its weight says. */
export type Weighted = readonly (readonly [weight: number, operation: Operation])[]
