import { from, map } from "rxjs";
import { afterEach, expect, it, vi } from "vitest";
import { Topic } from "./observable.js";

afterEach(() => vi.unstubAllGlobals());

it("an observer that throws disturbs nobody, and is reported", () => {
    const reported: (() => void)[] = [];
    vi.stubGlobal("queueMicrotask", (run: () => void) => reported.push(run));
    const topic = new Topic<number>();
    const heard: number[] = [];
    topic.subscribe(() => { throw new Error("mine"); });
    topic.subscribe((value) => heard.push(value));
    topic.next(1);
    expect(heard).toEqual([1]);
    expect(reported[0]).toThrow("mine");
});

it("tells newcomers its value, and nothing that has not changed", () => {
    const topic = new Topic(1), heard: unknown[] = [];
    const one = topic.subscribe({ next: (value) => heard.push(value), complete: () => heard.push("over") });
    topic.set(1);
    topic.set(2);
    topic.complete();
    topic.next(3);
    topic.subscribe({ next: (value) => heard.push(["late", value]), complete: () => heard.push("late over") });
    one.unsubscribe();
    expect(heard).toEqual([1, 2, "over", ["late", 2], "late over"]);
});

it("can be told not to replay, can be left, and takes no observer at all", () => {
    const topic = new Topic<number>(undefined, false), heard: number[] = [];
    topic.subscribe(null).unsubscribe();
    topic.next(1);
    const one = topic.subscribe((value) => heard.push(value));
    topic.next(2);
    one.unsubscribe();
    topic.next(3);
    expect(heard).toEqual([2]);
});

it("works with RxJS", () => {
    const topic = new Topic(1), heard: number[] = [];
    from(topic).pipe(map((value) => value * 10)).subscribe((value) => heard.push(value));
    topic.next(2);
    expect(heard).toEqual([10, 20]);
});
