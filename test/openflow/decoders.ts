// Every decoder of lib/openflow that others can call, by name, as one function of bytes: what the tests with hostile bytes go through.
import { decodeActions } from '../../lib/openflow/action-decode.js'
import { decodeBundleControl } from '../../lib/openflow/bundle.js'
import { Cursor } from '../../lib/openflow/decode.js'
import { decodeError } from '../../lib/openflow/errors.js'
import { decodeFlowDesc } from '../../lib/openflow/flow.js'
import { decodeFeatures, decodeHello } from '../../lib/openflow/handshake.js'
import {
  canonicalOxms, decodeBuckets, decodeFlowDescs, decodeFlowMod, decodeFlowStats, decodeFlowUpdates,
  decodeGroupDescs, decodeGroupMod, decodeGroupStats, decodeInstructions, decodeMatch, decodeMessage, decodeMeterFeatures, decodeMeterMod, decodeMeters,
  decodePacketIn, decodePortDescs, decodePortStatus, decodeTableStats, encodeActions, formatActions, formatInstructions, formatMatch
} from '../../lib/openflow/index.js'
import { decodeLearn } from '../../lib/openflow/learn.js'
import { decodeMultipart } from '../../lib/openflow/multipart.js'
import { decodeRequestForward } from '../../lib/openflow/request-forward.js'

export const DECODERS: Readonly<Record<string, (bytes: Buffer) => unknown>> = {
  decodeFlowDescs, decodeFlowDesc, decodeFlowStats, decodeTableStats, decodeFlowUpdates, decodeGroupDescs, decodeGroupStats, decodeBuckets, decodeMeters,
  decodePortDescs, decodePortStatus, decodeError, decodeFeatures, decodeHello, decodeMultipart, decodeFlowMod, decodeGroupMod,
  decodePacketIn, decodeMeterFeatures, decodeMeterMod, decodeRequestForward, decodeBundleControl,
  decodeMessage, decodeMatch, canonicalOxms, decodeActions, decodeInstructions,
  decodeLearn: (bytes) => [true, false].map((hasLimit) => decodeLearn(new Cursor(bytes, 'learn'), hasLimit)),
  formatMatch, formatActions,
  formatInstructions: (bytes) => formatInstructions(decodeInstructions(bytes)),
  'actions, decoded and encoded': (bytes) => encodeActions(decodeActions(bytes))
}
