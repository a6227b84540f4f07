import type { Delivery, Disposition } from '../store/types.ts'

/** Delivery statuses of version 1 (contract §1.10): description and whether it is final, as published. */
const STATUSES = {
  MESSAGE_ACCEPTED: ['Message accepted', true],
  MESSAGE_NOT_DELIVERED: ['Message sent, not delivered', true],
  MESSAGE_WAITING_DELIVERY: ['Message sent, waiting for delivery', false],
  MESSAGE_DELIVERED: ['Message sent and delivered', true],
  MESSAGE_NETWORK_NOT_AVAILABLE: ['Message not sent, bulk or gateway offline', true],
  MESSAGE_INVALID_DESTINATION_ADDRESS: ['Message not sent, invalid destination address', true],
  MESSAGE_DELIVERY_UNKNOWN: ['Message delivery unknown', true],
  MESSAGE_EXPIRED: ['Message expired', true],
  SYSTEM_ERROR: ['System error', true],
} as const satisfies Record<string, readonly [description: string, final: boolean]>
type Name = keyof typeof STATUSES

const OF_DISPOSITION: Record<Disposition, Name> = {
  heard: 'MESSAGE_DELIVERED',
  machine: 'MESSAGE_NOT_DELIVERED',
  busy: 'MESSAGE_NOT_DELIVERED',
  declined: 'MESSAGE_NOT_DELIVERED',
  no_answer: 'MESSAGE_NOT_DELIVERED',
  number_unknown: 'MESSAGE_INVALID_DESTINATION_ADDRESS',
  no_route: 'MESSAGE_NETWORK_NOT_AVAILABLE',
  trunk_failed: 'MESSAGE_NETWORK_NOT_AVAILABLE',
  no_common_codec: 'MESSAGE_NETWORK_NOT_AVAILABLE',
  expired: 'MESSAGE_EXPIRED',
  speech_failed: 'SYSTEM_ERROR',
  fault: 'SYSTEM_ERROR',
  lost: 'MESSAGE_DELIVERY_UNKNOWN',
  no_media: 'MESSAGE_DELIVERY_UNKNOWN',
  abandoned: 'MESSAGE_DELIVERY_UNKNOWN',
  sms_sent: 'MESSAGE_ACCEPTED', // handed over; no gateway reports further yet
  sms_failed: 'MESSAGE_NETWORK_NOT_AVAILABLE', // the gateway did not take it
}

export type DeliveryStatus = { status: string; description: string; finalStatus: boolean }

export function deliveryStatusOf(delivery: Pick<Delivery, 'disposition'>): DeliveryStatus {
  const status = delivery.disposition ? OF_DISPOSITION[delivery.disposition] : 'MESSAGE_WAITING_DELIVERY'
  const [description, finalStatus] = STATUSES[status]
  return { status, description, finalStatus }
}
