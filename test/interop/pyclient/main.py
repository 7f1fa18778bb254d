# SPDX-License-Identifier: Apache-2.0
"""Runs scenarios with the Python client, which is RocketMQ's C++ client in a wheel, and prints a JSON line for each, like
test/java/interop."""

import argparse
import json
import os
import sys
import threading
import time

from rocketmq.client import Message, Producer, PullConsumer, PushConsumer

PATIENCE = 60  # seconds; this client rebalances every 10
EVENTS = os.fdopen(os.dup(1), "w", buffering=1)
os.dup2(2, 1)  # what the client prints is no event


class Run:
    """One run of one scenario."""

    def __init__(self, options, name):
        self.name_server, self.name = options.namesrv, name
        self.topic = f"{options.prefix}-{name}"
        self.opened = []

    def producer(self):
        p = Producer(f"{self.topic}-producer", timeout=10000)
        p.set_namesrv_addr(self.name_server)
        p.start()
        self.opened.append(p)
        return p

    def message(self, text, tag="TagA"):
        m = Message(self.topic)
        m.set_body(text)
        m.set_keys(text)
        m.set_tags(tag)
        return m

    def consume(self, want, expression="*", orderly=False):
        """Waits until a push consumer has got the texts `want`, and no others; in this order if orderly."""
        got, done = [], threading.Event()

        def take(message):
            got.append(message.body.decode())
            if set(got) >= set(want):
                done.set()

        c = PushConsumer(f"{self.topic}-consumer", orderly=orderly)
        c.set_namesrv_addr(self.name_server)
        c.set_instance_name(f"{os.getpid()}-{self.name}")
        c.subscribe(self.topic, take, expression)
        c.start()
        self.opened.append(c)
        if not done.wait(PATIENCE):
            raise AssertionError(f"consumed {len(set(got) & set(want))} of {len(want)} within {PATIENCE} s")
        if set(got) - set(want):
            raise AssertionError(f"consumed others: {sorted(set(got) - set(want))}")
        if orderly and list(dict.fromkeys(got)) != want:
            raise AssertionError(f"out of order: {got}")

    def close(self):
        for o in reversed(self.opened):
            o.shutdown()


def texts(run, count=20):
    return [f"{run.name}-{i}" for i in range(count)]


def send_sync(run):
    p, all_texts = run.producer(), texts(run)
    for text in all_texts:
        p.send_sync(run.message(text))
    run.consume(all_texts)


def send_oneway(run):
    p, all_texts = run.producer(), texts(run)
    for text in all_texts:
        p.send_oneway(run.message(text))
    run.consume(all_texts)


def send_delayed(run):
    m, begin = run.message("later"), time.monotonic()
    m.set_delay_time_level(2)  # 5 s
    run.producer().send_sync(m)
    run.consume(["later"])
    if time.monotonic() - begin < 4:
        raise AssertionError("delivered at once")


def push_orderly(run):
    p, all_texts = run.producer(), texts(run)
    for text in all_texts:
        p.send_orderly(run.message(text), 0, queue_selector=lambda size, message, arg: 0)
    run.consume(all_texts, orderly=True)


def filter_tag(run):
    p = run.producer()
    for i in range(20):
        p.send_sync(run.message(f"{run.name}-{i}", "TagA" if i % 2 else "TagB"))
    run.consume([f"{run.name}-{i}" for i in range(20) if i % 2], expression="TagA")


def pull(run):
    p, left = run.producer(), set(texts(run))
    for text in sorted(left):
        p.send_sync(run.message(text))
    c = PullConsumer(f"{run.topic}-consumer")
    c.set_namesrv_addr(run.name_server)
    c.start()
    run.opened.append(c)
    end = time.monotonic() + PATIENCE
    while left and time.monotonic() < end:
        left -= {m.body.decode() for m in c.pull(run.topic)}
    if left:
        raise AssertionError(f"{len(left)} of 20 not pulled within {PATIENCE} s")


CATALOG = {
    "send-sync": send_sync,
    "send-oneway": send_oneway,
    "send-delayed": send_delayed,
    "one-broker-topic": send_sync,
    "push-concurrent": send_sync,
    "push-orderly": push_orderly,
    "filter-tag": filter_tag,
    "pull": pull,
}


def run_one(options, name):
    run, begin, line = Run(options, name), time.monotonic(), {"event": "scenario", "name": name, "outcome": "works"}
    try:
        if name not in CATALOG:
            line["outcome"] = "lacking"
        else:
            CATALOG[name](run)
    except Exception as e:  # whatever the client raises is the outcome
        line.update(outcome="failed", detail=str(e) or type(e).__name__)
    line["ms"] = int(1000 * (time.monotonic() - begin))
    print(json.dumps(line), file=EVENTS)
    run.close()


def main():
    parser = argparse.ArgumentParser()
    for option in ("namesrv", "prefix", "scenarios", "last", "access-key", "secret-key"):
        parser.add_argument("--" + option, default="")
    options = parser.parse_args()
    threads = [threading.Thread(target=run_one, args=(options, name)) for name in options.scenarios.split(",") if name]
    for t in threads:
        t.start()
        time.sleep(0.2)  # not all at once
    for t in threads:
        t.join()
    print(json.dumps({"event": "end"}), file=EVENTS)
    sys.stderr.flush()
    os._exit(0)  # threads of the C++ client may still run


main()
