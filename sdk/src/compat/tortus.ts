/* tortus.ts — the names of the vendor's embed SDK over ours, for pages that were written for it: another import, and `baseUrl`, the
 * address of your framed page. Codes EMBED_… and CLIENT_… are the vendor's as far as they are public, OURS_… are made here. */
import { asError, CoatcheckError } from "../errors.js";
import { browserPage, embedIn, type EmbedOptions } from "../embed/host.js";
import { membersOf } from "../http.js";
import { browserPlatform } from "../platform.js";

export interface TortusConfig extends Pick<EmbedOptions, "publishableKey" | "container" | "environment" | "fetchClientSecrets"> {
    /** Address of the framed page. */
    readonly baseUrl: string;
    readonly integration?: { readonly system: "EMIS" | "SYSTM_ONE" | "MEDICUS" | "CERNER" | "CUSTOM"; readonly label?: string };
    readonly disableFinishMeetingButton?: boolean;
}

/** What the framed app offers decides which of these succeed: it is asked by the name of the method, `consultations.start`. */
export interface TortusClient {
    display(screen: "home" | "standby"): Promise<void>;
    readonly consultations: { start(consultation: unknown, options?: { readonly returnTo?: string }): Promise<{ close(): Promise<void> }> };
    /** @deprecated always rejects with `CLIENT_4001` */
    readonly dictations: { start(options?: unknown): Promise<never> };
    readonly meetings: { start(meeting: unknown, options?: { readonly returnTo?: string }): Promise<{
        setNotes(notes: unknown): Promise<void>; setAudio(audio: unknown): Promise<void>; close(): Promise<void> }> };
    /** Gives a function that ends it. */
    on(event: string, hear: (detail: unknown) => void): () => void;
    destroy(): void;
}

/** Why the app was not loaded, or did not do what it was asked. */
export class TortusError extends Error {
    override name = "TortusError";
    readonly code: string;

    constructor(code: string, message: string, cause?: unknown)
    {
        super(message, { cause });
        this.code = code;
    }
}

function vendorCode({ code }: CoatcheckError): string
{
    switch (code) {
    case "option_missing": case "option_invalid": return "EMBED_7006";
    case "provider_failed": case "provider_timeout": case "credential_invalid": return "EMBED_7007";
    default: return `OURS_${code.toUpperCase()}`;
    }
}

function rethrow(thrown: unknown): never
{
    const error = asError(thrown, "frame_failed", String(thrown));
    throw new TortusError(vendorCode(error), error.message, error);
}

/** Loads the app into the container; resolves with its client. */
export async function loadTortus(config: TortusConfig): Promise<TortusClient>
{
    const { baseUrl, integration, disableFinishMeetingButton, ...options } = config;
    const client = await embedIn(browserPage(), browserPlatform(), { ...options, frameUrl: baseUrl }, vendorCode).catch(rethrow);
    const ask = (method: string, params?: unknown) => client.ask(method, params).catch(rethrow);
    const tell = async (method: string, params?: unknown) => { await ask(method, params); };
    if (integration || disableFinishMeetingButton)
        await tell("configure", { integration, disableFinishMeetingButton }).catch((error: unknown) => {
            client.destroy(); // nobody will have it to do so
            throw error;
        });
    return {
        display: (screen) => tell("display", screen),
        consultations: {
            async start(consultation, options)
            {
                const id = await ask("consultations.start", { consultation, ...options });
                return { close: () => tell("consultations.close", id) };
            },
        },
        dictations: { start: () => Promise.reject(new TortusError("CLIENT_4001", "dictations are not offered")) },
        meetings: {
            async start(meeting, options)
            {
                const id = await ask("meetings.start", { meeting, ...options });
                return {
                    setNotes: (notes) => tell("meetings.setNotes", { id, notes }),
                    setAudio: (audio) => tell("meetings.setAudio", { id, audio }),
                    close: () => tell("meetings.close", id),
                };
            },
        },
        on: (event, hear) => client.on(event, (detail) => hear(!event.endsWith(":completed") ? detail : {
            ...membersOf(detail),
            finish: (outcome = { status: "success" }) => tell("finish", { event, detail, outcome }),
        })),
        destroy: () => client.destroy(),
    };
}
