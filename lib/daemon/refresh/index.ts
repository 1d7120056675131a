// Derives one key again, from scratch, and hands the result to the sinks. The same functions serve one change and
// the whole: a full recompute is "mark everything", so the two cannot disagree. Equal result = nothing happens.
export { witness } from './claim.js'
export { domainProblems, refreshDomain } from './domain.js'
export { decapEstimate } from './decap.js'
export { refreshFlood } from './flood.js'
export { refreshIp, responderOf } from './ip.js'
export { refreshMac } from './mac.js'
export { refreshMember } from './member.js'
export { groupUsedBy, nexthopCollisions, refreshNexthop, refreshNexthopUse } from './nexthop.js'
export { refreshPort } from './port.js'
export { refreshVtep, tunnelOfport } from './vtep.js'
