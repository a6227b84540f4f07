/** Another node took the delivery over: nothing may leave this machine for it, and nothing of it is ours to write. */
export const LOST_LEASE = 'lost_lease'
/** Nothing has left for it and the database is away: it is owed again, to whoever can carry it out. */
export const GIVE_BACK = 'give_back'
export type NotOurs = typeof LOST_LEASE | typeof GIVE_BACK
