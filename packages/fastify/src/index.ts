/** Nothing yet. */
export const version = "4.100.0";
