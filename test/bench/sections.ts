// The sections, in the order in which they are measured.
import type { Section } from './section.js'
import { bgp } from './section/bgp.js'
import { bulk } from './section/bulk.js'
import { change } from './section/change.js'
import { decap } from './section/decap.js'
import { ecmp } from './section/ecmp.js'
import { flood } from './section/flood.js'
import { rate } from './section/rate.js'
import { start } from './section/start.js'

export const SECTIONS: readonly Section[] = [change, bulk, start, rate, ecmp, decap, flood, bgp]
