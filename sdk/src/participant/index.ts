/* participant/index.ts — the entry `coatcheck/participant`: who takes part in a study, and how an interview goes. */
export { CoatcheckError, type ErrorCode } from "../errors.js";
export type { Observable, Observer, Subscription } from "../observable.js";
export { createJourney, isRecoverable, type Journey, type JourneyState, type Phase } from "./journey.js";
export { createParticipant, type Asking, type BootstrapTokenProvider, type BootstrapTokenResult, type Interview, type Participant, type ParticipantOptions,
    type ParticipantState, type Question, type Study } from "./participant.js";
