/* react/index.ts — the entry `coatcheck/react`: a provider and hooks for interviews. React 18 or later. */
export { useCoatcheck, useConsent, useInterview, useStudy } from "./hooks.js";
export { CoatcheckProvider, type CoatcheckProviderProps } from "./room.js";
