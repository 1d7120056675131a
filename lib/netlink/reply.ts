// The kernel's answers to a request: acknowledgements and errors (struct nlmsgerr), and how a dump ends (NLMSG_DONE).
import { AttributeReader, align4, hostU32, readHostU32, text } from './attribute.js'
import { NLM_F, NLMSG, NLMSGERR_ATTR } from './constants.js'
import { NetlinkDecodeError, NetlinkError, type NetlinkErrorDetails } from './error.js'
import { MESSAGE_HEADER_BYTES, type Frame } from './message.js'

type Extack = Pick<NetlinkErrorDetails, 'extack' | 'attributeOffset'>

/**
 * The error an NLMSG_ERROR or NLMSG_DONE carries, undefined for success. `request` names the request in the error's message.
 * Throws NetlinkDecodeError when there is no error code.
 */
export function decodeReply(datagram: Buffer, frame: Frame, request: string): NetlinkError | undefined {
  if (frame.end - frame.start < 4) throw new NetlinkDecodeError('reply', 'no error code', frame.start)
  // The code is a negative errno, host order.
  const errno = (-(readHostU32(datagram, frame.start) | 0)) | 0
  return errno === 0 ? undefined : new NetlinkError({ request, errno, ...decodeExtack(datagram, frame) })
}

/** Behind the code: in errors the request's header (and its payload, unless capped), then the attributes. */
function decodeExtack(datagram: Buffer, frame: Frame): Extack {
  if ((frame.flags & NLM_F.ACK_TLVS) === 0) return {}
  let at = frame.start + 4
  if (frame.type === NLMSG.ERROR) {
    if (frame.end - at < MESSAGE_HEADER_BYTES) throw new NetlinkDecodeError('reply', 'the request it answers is cut off', at)
    at += (frame.flags & NLM_F.CAPPED) !== 0 ? MESSAGE_HEADER_BYTES : align4(readHostU32(datagram, at))
  }
  const found: { extack?: string, attributeOffset?: number } = {}
  const attributes = new AttributeReader(datagram, at, frame.end, 'reply')
  while (attributes.next()) {
    const length = attributes.end - attributes.start
    if (attributes.type === NLMSGERR_ATTR.MSG) found.extack = text.read(datagram, attributes.start, attributes.end) ?? ''
    if (attributes.type === NLMSGERR_ATTR.OFFS && length >= 4) {
      found.attributeOffset = hostU32.read(datagram, attributes.start, attributes.end) ?? 0
    }
  }
  return found
}
