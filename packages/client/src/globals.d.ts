/** True in the builds that log through `debug`, false in those for production, which then hold no trace of it. */
declare const PLUGBOARD_DEBUG: boolean;
