/** The media room: SDP, RTP, G.711, pacing, keys, tones, human or machine. Sound in, facts out. */

export { dtmfSound } from './dtmf-tones.ts'
export { openMediaEngine } from './engine.ts'
export { type FvadLoader, loadFvad } from './fvad.ts'
export { decodePcma, decodePcmu, encodePcma, encodePcmu } from './g711.ts'
export { FRAME_SAMPLES, type Heard, Hearing, type HearingWants } from './hearing.ts'
export { formatRtp, parseRtp, RTP_PAYLOAD_AT, type RtpHeader, type RtpPacket } from './rtp.ts'
export { type AnswerOptions, answerOffer, makeOffer, type OfferOptions, readAnswer } from './sdp.ts'
export type * from './types.ts'
export { wavOf } from './wav.ts'
