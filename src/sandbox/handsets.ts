/** What a handset does with a call. */
export type Script =
  | {
      kind: 'refuses'
      status: number
      reason: string
      headers?: readonly (readonly [string, string])[]
      /** Somebody looked at the ringing phone first. */
      rings?: true
    }
  | { kind: 'rings' }
  | {
      kind: 'answers'
      says?: 'hello' | 'long_greeting' | 'mailbox'
      /** After what it said. */
      beeps?: true
      hangsUpAfterMs?: number
      /** Presses the key that it hears itself asked for. */
      pressesKeys?: true
    }

export type Handset = {
  /** Last two digits of the numbers it stands behind; undefined for all others. */
  ending?: string
  name: string
  does: string
  /** How a call to it ends on version 1 of the wire. */
  callStatus: string
  script: Script
}

const PERSON: Handset = {
  name: 'person',
  does: 'Answers, says hello and listens.',
  callStatus: 'PROCESSED',
  script: { kind: 'answers', says: 'hello' },
}

/** The last two digits of any number choose its handset. */
const BY_ENDING: Record<string, Omit<Handset, 'ending'>> = {
  90: {
    name: 'voicemail',
    does: 'A mailbox: greeting, beep, silence. It records whatever is said.',
    callStatus: 'ANSWERED_MACHINE',
    script: { kind: 'answers', says: 'mailbox', beeps: true },
  },
  91: {
    name: 'busy phone',
    does: 'Is on another call: 486.',
    callStatus: 'ERROR_USER_BUSY',
    script: { kind: 'refuses', status: 486, reason: 'Busy Here', headers: [['Reason', 'Q.850;cause=17']] },
  },
  92: {
    name: 'unanswered phone',
    does: 'Rings, and nobody answers.',
    callStatus: 'ERROR_NO_ANSWER',
    script: { kind: 'rings' },
  },
  93: {
    name: 'number not in service',
    does: 'Nobody has this number: 404.',
    callStatus: 'ERROR_NETWORK_NOT_AVAILABLE',
    script: { kind: 'refuses', status: 404, reason: 'Not Found', headers: [['Reason', 'Q.850;cause=1']] },
  },
  94: {
    name: 'number without a route',
    does: 'The carrier refuses the call on every trunk: 503.',
    callStatus: 'ERROR_ROUTE_NOT_AVAILABLE',
    script: { kind: 'refuses', status: 503, reason: 'Service Unavailable' },
  },
  95: {
    name: 'person who declines',
    does: 'Looks at the ringing phone and declines: 603.',
    callStatus: 'ERROR_USER_BUSY',
    script: { kind: 'refuses', status: 603, reason: 'Decline', rings: true },
  },
  96: {
    name: 'person who hangs up',
    does: 'Answers, says nothing and hangs up before the code.',
    callStatus: 'UNDEFINED',
    script: { kind: 'answers', hangsUpAfterMs: 1200 },
  },
  97: {
    name: 'talkative person',
    does: 'Answers with a long greeting, as a machine would, then presses the key that was asked for.',
    callStatus: 'PROCESSED',
    script: { kind: 'answers', says: 'long_greeting', pressesKeys: true },
  },
  98: {
    name: 'silent person',
    does: 'Answers, says nothing, and presses the key that was asked for.',
    callStatus: 'PROCESSED',
    script: { kind: 'answers', pressesKeys: true },
  },
  99: {
    name: 'person',
    does: 'A person like all others, but the speech for this call cannot be made: the phone never rings.',
    callStatus: 'ERROR',
    script: PERSON.script,
  },
}

/** The handset behind a number. */
export function handsetFor(number: string): Handset {
  const ending = number.slice(-2)
  const special = BY_ENDING[ending]
  return special ? { ending, ...special } : PERSON
}

/** All there are, the ordinary one last. */
export const HANDSETS: readonly Handset[] = [
  ...Object.keys(BY_ENDING)
    .sort()
    .map((ending) => handsetFor(ending)),
  PERSON,
]

/** The fault is in the speech room, which is asked to show it; the handset itself is well. */
export const hasSpeechFault = (number: string): boolean => number.endsWith('99')
