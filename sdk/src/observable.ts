/* observable.ts — values over time, as small as they can be and still work with RxJS: `from(client.ready$ as never)` or,
 * typed, `from(client.ready$)`, because each carries the interop method under both names that libraries look for.
 *
 * A Topic is the side that speaks; only what implements Observable is handed out. A topic that has a value tells it to each
 * newcomer at once. An observer that throws disturbs neither the others nor us: its error is reported as the browser reports
 * any other. */

export interface Observer<T> {
    next?(value: T): void;
    error?(error: unknown): void;
    complete?(): void;
}

export interface Subscription {
    unsubscribe(): void;
}

export interface Observable<T> {
    subscribe(observer?: Observer<T> | ((value: T) => void) | null): Subscription;
}

const INTEROP = "@@observable";

export class Topic<T> implements Observable<T> {
    #observers = new Set<Observer<T>>();
    #last: { value: T } | undefined;
    #replays: boolean;
    #isOver = false;

    /** first: the value it has from the beginning. replays false: newcomers hear only what comes after them. */
    constructor(first?: { value: T }, replays = true)
    {
        this.#last = first;
        this.#replays = replays;
    }

    get value(): T | undefined { return this.#last?.value; }

    next(value: T): void
    {
        if (this.#isOver) return;
        if (this.#replays) this.#last = { value };
        for (const observer of [...this.#observers]) tell(observer, value);
    }

    /** The same, unless nothing has changed. */
    set(value: T): void
    {
        if (!this.#last || !Object.is(this.#last.value, value)) this.next(value);
    }

    complete(): void
    {
        this.#isOver = true;
        for (const observer of this.#observers) guard(() => observer.complete?.());
        this.#observers.clear();
    }

    subscribe(observer?: Observer<T> | ((value: T) => void) | null): Subscription
    {
        const one: Observer<T> = typeof observer === "function" ? { next: observer } : { ...bound(observer) };
        if (this.#last) tell(one, this.#last.value);
        if (this.#isOver) guard(() => one.complete?.());
        else this.#observers.add(one);
        return { unsubscribe: () => { this.#observers.delete(one); } };
    }

    [INTEROP](): this { return this; }
}

function bound<T>(observer: Observer<T> | null | undefined): Observer<T>
{
    return {
        next: (value) => observer?.next?.(value),
        complete: () => observer?.complete?.(),
    };
}

function tell<T>(observer: Observer<T>, value: T): void
{
    guard(() => observer.next?.(value));
}

function guard(body: () => void): void
{
    try {
        body();
    } catch (error) {
        queueMicrotask(() => { throw error; });
    }
}
