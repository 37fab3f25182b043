/** What a contract says about one event. Replaced by the first real file. */
export interface EventContract {}
