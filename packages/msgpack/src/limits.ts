/**
 * How deeply the data of a packet may be nested, as in the default parser. Deeper data, and circular data with it, is
 * refused in one clear way, here as well as where it arrives.
 */
export const MAX_DEPTH = 2000;
/** The packet itself and the list of arguments lie around the data. */
export const MAX_MESSAGE_DEPTH: number = MAX_DEPTH + 2;
