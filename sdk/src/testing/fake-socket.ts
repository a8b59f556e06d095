/* fake-socket.ts — stands in for a WebSocket: remembers what was sent, and says what the test says. */
const part = (value: unknown) => btoa(JSON.stringify(value));

/** A token that names its server and ends in centuries. */
export const TOKEN = `${part({})}.${part({ iss: "http://a.example", exp: 9_000_000_000 })}.x`;

export class FakeSocket {
    static all: FakeSocket[] = [];
    readonly sent: { id: string; method?: string; params?: Record<string, unknown> }[] = [];
    readonly url: string;
    closedWith: number | undefined;
    onopen: (() => void) | null = null;
    onmessage: ((message: { data: string }) => void) | null = null;
    onclose: ((end: { code: number; reason: string }) => void) | null = null;

    constructor(url: string)
    {
        this.url = url;
        FakeSocket.all.push(this);
    }

    send(text: string) { this.sent.push(JSON.parse(text) as (typeof this.sent)[number]); }
    close(code: number) { this.closedWith = code; }
    tell(message: unknown) { this.onmessage?.({ data: JSON.stringify(message) }); }
}
