import type { Delivery, Disposition } from '../store/types.ts'
import type { Refusal } from '../verification/types.ts'
import type { Version } from './types.ts'

/** The eleven statuses of version 1 (spec/resend-over-voice.md). */
export const CALL_STATUSES = [
  'BAD_REQUEST',
  'PROCESSING',
  'PROCESSED',
  'ANSWERED_MACHINE',
  'ERROR',
  'ERROR_NOT_ENOUGH_CREDITS',
  'ERROR_NETWORK_NOT_AVAILABLE',
  'ERROR_ROUTE_NOT_AVAILABLE',
  'ERROR_USER_BUSY',
  'ERROR_NO_ANSWER',
  'UNDEFINED',
] as const
export type CallStatus = (typeof CALL_STATUSES)[number]

/** What each is called in version 2: names of the general status registry. */
const V2: Record<CallStatus, string> = {
  PROCESSING: 'PENDING_ACCEPTED',
  PROCESSED: 'DELIVERED_TO_HANDSET',
  ANSWERED_MACHINE: 'UNDELIVERABLE_NOT_DELIVERED',
  ERROR_USER_BUSY: 'BUSY',
  ERROR_NO_ANSWER: 'NO_ANSWER',
  ERROR_NOT_ENOUGH_CREDITS: 'REJECTED_NOT_ENOUGH_CREDITS',
  ERROR_NETWORK_NOT_AVAILABLE: 'REJECTED_NETWORK',
  ERROR_ROUTE_NOT_AVAILABLE: 'REJECTED_ROUTE_NOT_AVAILABLE',
  BAD_REQUEST: 'REJECTED_DESTINATION',
  ERROR: 'REJECTED_SYSTEM_ERROR',
  UNDEFINED: 'EXPIRED_DLR_UNKNOWN',
}

const OF_DISPOSITION: Record<Disposition, CallStatus> = {
  heard: 'PROCESSED',
  machine: 'ANSWERED_MACHINE',
  busy: 'ERROR_USER_BUSY',
  declined: 'ERROR_USER_BUSY',
  no_answer: 'ERROR_NO_ANSWER',
  number_unknown: 'ERROR_NETWORK_NOT_AVAILABLE',
  no_route: 'ERROR_ROUTE_NOT_AVAILABLE',
  trunk_failed: 'ERROR_ROUTE_NOT_AVAILABLE',
  no_common_codec: 'ERROR_ROUTE_NOT_AVAILABLE',
  expired: 'BAD_REQUEST',
  speech_failed: 'ERROR',
  fault: 'ERROR',
  lost: 'UNDEFINED',
  no_media: 'UNDEFINED',
  abandoned: 'UNDEFINED',
  // No call ends like these; were one to, we should not know what happened.
  sms_sent: 'UNDEFINED',
  sms_failed: 'UNDEFINED',
}

const OF_REFUSAL: Record<Refusal, CallStatus> = {
  closed: 'BAD_REQUEST',
  application_disabled: 'BAD_REQUEST',
  destination: 'BAD_REQUEST',
  no_credit: 'ERROR_NOT_ENOUGH_CREDITS',
  no_network: 'ERROR_NETWORK_NOT_AVAILABLE',
  no_route: 'ERROR_ROUTE_NOT_AVAILABLE',
}

/** How a call stands: by its disposition, which is known as soon as the outcome is; before it is being processed. */
export const statusOfDelivery = (delivery: Pick<Delivery, 'disposition'>): CallStatus =>
  delivery.disposition ? OF_DISPOSITION[delivery.disposition] : 'PROCESSING'

export const statusOfRefusal = (refusal: Refusal): CallStatus => OF_REFUSAL[refusal]

/** A status in a version's own word. */
export const spell = (status: CallStatus, version: Version): string => (version === 1 ? status : V2[status])
