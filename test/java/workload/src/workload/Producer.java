// SPDX-License-Identifier: Apache-2.0
package workload;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;
import org.apache.rocketmq.client.exception.MQBrokerException;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.LocalTransactionState;
import org.apache.rocketmq.client.producer.SendCallback;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.producer.SendStatus;
import org.apache.rocketmq.client.producer.TransactionListener;
import org.apache.rocketmq.client.producer.TransactionMQProducer;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;
import org.apache.rocketmq.remoting.RPCHook;

/**
 * Sends numbered messages.
 *
 * <pre>
 * --namesrv ADDR --topic T   required
 * --mode M                   sync (default), async, oneway, batch, orderly, transaction
 * --rate R                   messages per second over all threads; 0 = as fast as answers come (default)
 * --wave S                   seconds in which the rate falls to a tenth and rises again; 0 = it stays (default)
 * --threads N                default 1
 * --duration S               seconds, or forever (default)
 * --count N                  stop after N messages; 0 = no such limit (default)
 * --size B                   body bytes, default 300
 * --send-timeout MS          of one send with its retries, default the client's own (3000)
 * --first-id I               id of the first message, default 0
 * --keys N                   orderly: number of order keys, default 16
 * --batch N                  batch: messages per batch, default 10
 * --in-flight N              async: greatest number of unanswered sends, default 64
 * --rollback-every N         transaction: each Nth message is rolled back; 0 = none (default)
 * --unknown-every N          transaction: each Nth is left undecided, then committed on check; 0 = none
 * --access-key K --secret-key S   the account that signs; nobody (default)
 * --group G --instance I     default workload-producer, and RocketMQ's own default
 * --interval MS              see {@link Intervals}
 * --acked FILE               gets a line "id" for each acknowledged message (rolled back ones are not)
 * --warmup W                 before ready, send to topic W until all its queues answer within 100 ms, for 20 s at most:
 *                            a server's first answers take seconds, long enough for the client to send again
 * --stamp yes                each message carries the time of its sending, for the consumer's latencies
 * --wait-go yes              after ready, wait for a line "go" on stdin before sending
 * </pre>
 *
 * A line "rest" on stdin has it send nothing, but stay, until a line "go".
 *
 * Events: {@code ready}; {@code tick} each second with sent (acknowledged in that second), failed, perBroker,
 * p50us, p99us (of the whole call, the client's retries included) and totalSent, totalFailed, error (the last
 * one, if any) with code and remark if it was a broker's answer; {@code end} with the totals under the names of a tick. Retries are the client's defaults.
 */
public final class Producer {
    private final Args args;
    private final String topic;
    private final int size;
    private final boolean stamp;
    private final Records acked;
    private final Pacer pacer;
    private final AtomicLong nextId;
    private final long endId;

    private final Histogram latency = new Histogram();
    private final Histogram allLatency = new Histogram();
    private final Counts perBroker = new Counts();
    private final LongAdder failed = new LongAdder();
    private final AtomicReference<Throwable> lastError = new AtomicReference<>();

    private Producer(Args args) throws Exception {
        this.args = args;
        topic = args.text("topic");
        size = (int) args.number("size", 300);
        stamp = args.text("stamp", "no").equals("yes");
        acked = new Records(args.text("acked", null));
        nextId = new AtomicLong(args.number("first-id", 0));
        long count = args.number("count", 0);
        endId = count > 0 ? nextId.get() + count : Long.MAX_VALUE;
        pacer = new Pacer(args.number("rate", 0), args.number("wave", 0));
    }

    public static void main(String[] argv) {
        Program.main(() -> new Producer(new Args(argv)).run());
    }

    private void run() throws Exception {
        String mode = args.text("mode", "sync");
        int threads = (int) args.number("threads", 1);
        String duration = args.text("duration", "forever");
        String warmup = args.text("warmup", null);
        boolean waitGo = args.text("wait-go", "no").equals("yes");
        DefaultMQProducer producer = connect(mode);
        Sender sender = sender(mode, producer, threads);
        args.done();
        producer.start();
        if (warmup != null) {
            warmUp(producer, warmup);
        }
        Json.event("ready").print();
        if (!waitGo || Program.awaitGo()) {
            send(sender, threads, duration);
        }
        sender.finish();
        producer.shutdown();
        acked.close();
        report("end", perBroker.snapshot(), failed.sum(), allLatency);
    }

    private DefaultMQProducer connect(String mode) {
        String group = args.text("group", "workload-producer");
        RPCHook hook = Account.hook(args);
        DefaultMQProducer producer =
                mode.equals("transaction") ? new TransactionMQProducer(group, hook) : new DefaultMQProducer(group, hook);
        producer.setNamesrvAddr(args.text("namesrv"));
        producer.setSendMsgTimeout((int) args.number("send-timeout", producer.getSendMsgTimeout()));
        Intervals.set(producer, args);
        String instance = args.text("instance", null);
        if (instance != null) {
            producer.setInstanceName(instance);
        }
        return producer;
    }

    private void warmUp(DefaultMQProducer producer, String warmupTopic) throws Exception {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        for (boolean quick = false; !quick && System.nanoTime() < end && !Program.stopping(); ) {
            quick = true;
            for (MessageQueue queue : producer.fetchPublishMessageQueues(warmupTopic)) {
                long start = System.nanoTime();
                try {
                    producer.send(new Message(warmupTopic, new byte[size]), queue, 10_000);
                    quick &= System.nanoTime() - start < TimeUnit.MILLISECONDS.toNanos(100);
                } catch (Exception e) {
                    e.printStackTrace();
                    quick = false;
                }
            }
        }
    }

    private void send(Sender sender, int threads, String duration) throws Exception {
        List<Thread> workers = new ArrayList<>();
        for (int t = 0; t < threads; t++) {
            int number = t;
            Thread worker = new Thread(() -> work(sender, number), "send-" + t);
            workers.add(worker);
            worker.start();
        }
        long end = duration.equals("forever")
                ? Long.MAX_VALUE
                : System.nanoTime() + (long) (Double.parseDouble(duration) * TimeUnit.SECONDS.toNanos(1));
        Map<String, Long> before = new HashMap<>();
        long failedBefore = 0;
        while (workers.stream().anyMatch(Thread::isAlive)) {
            long left = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
            if (left <= 0) {
                Program.stop();
                break;
            }
            if (Program.sleepOrStop(Math.min(left, 1000))) {
                break;
            }
            Map<String, Long> now = perBroker.snapshot();
            long failedNow = failed.sum();
            report("tick", Counts.difference(now, before), failedNow - failedBefore, latency.drainInto(allLatency));
            before = now;
            failedBefore = failedNow;
        }
        for (Thread worker : workers) {
            worker.join();
        }
        latency.drainInto(allLatency);
    }

    private void work(Sender sender, int thread) {
        while (pacer.await()) {
            try {
                if (!sender.send(thread)) {
                    return;
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            } catch (Exception e) {
                failed(1, e);
            }
        }
    }

    private void report(String event, Map<String, Long> sent, long failures, Histogram h) {
        Json line = Json.event(event)
                .put("sent", sent.values().stream().mapToLong(Long::longValue).sum())
                .put("failed", failures)
                .put("perBroker", sent)
                .put("p50us", h.percentile(0.50))
                .put("p99us", h.percentile(0.99))
                .put("totalSent", perBroker.sum())
                .put("totalFailed", failed.sum());
        Throwable error = lastError.get();
        if (error != null) {
            line.put("error", String.valueOf(error).split("\n", 2)[0]);
        }
        for (Throwable cause = error; cause != null; cause = cause.getCause()) {
            if (cause instanceof MQBrokerException) {
                MQBrokerException answer = (MQBrokerException) cause;
                line.put("code", answer.getResponseCode()).put("remark", answer.getErrorMessage());
            }
        }
        line.print();
    }

    private void acknowledged(long id, String broker) {
        perBroker.add(broker, 1);
        acked.append(id + "\n");
    }

    private void failed(int n, Throwable e) {
        failed.add(n);
        lastError.set(e);
    }

    /** The next id, or -1 when {@code --count} is reached. */
    private long takeId() {
        long id = nextId.getAndIncrement();
        return id < endId ? id : -1;
    }

    private Message message(long id) {
        Message message = new Message(topic, "workload", "k" + id, Payload.make(id, size));
        if (stamp) {
            Stamp.put(message);
        }
        return message;
    }

    private void took(long startNanos) {
        latency.record(TimeUnit.NANOSECONDS.toMicros(System.nanoTime() - startNanos));
    }

    /** One way of sending. */
    private interface Sender {
        /** Sends what is next. Returns false when there is nothing left to send; an exception counts as one failure. */
        boolean send(int thread) throws Exception;

        /** Waits for what is still under way. */
        default void finish() throws Exception {}
    }

    private Sender sender(String mode, DefaultMQProducer producer, int threads) {
        switch (mode) {
            case "sync":
                return thread -> {
                    long id = takeId();
                    return id >= 0 && settle(id, System.nanoTime(), producer.send(message(id)));
                };
            case "oneway":
                return thread -> {
                    long id = takeId();
                    if (id < 0) {
                        return false;
                    }
                    long start = System.nanoTime();
                    producer.sendOneway(message(id));
                    took(start);
                    acknowledged(id, "unknown");
                    return true;
                };
            case "batch":
                int length = (int) args.number("batch", 10);
                return thread -> sendBatch(producer, length);
            case "async":
                return new AsyncSender(producer, (int) args.number("in-flight", 64));
            case "orderly":
                return new OrderlySender(producer, (int) args.number("keys", 16), threads);
            case "transaction":
                return new TransactionSender((TransactionMQProducer) producer,
                        args.number("rollback-every", 0), args.number("unknown-every", 0));
            default:
                throw new IllegalArgumentException("--mode " + mode + " is unknown");
        }
    }

    private boolean settle(long id, long start, SendResult result) {
        took(start);
        if (result.getSendStatus() == SendStatus.SEND_OK) {
            acknowledged(id, result.getMessageQueue().getBrokerName());
        } else {
            failed(1, new IllegalStateException("send status " + result));
        }
        return true;
    }

    private boolean sendBatch(DefaultMQProducer producer, int length) throws Exception {
        List<Message> batch = new ArrayList<>();
        List<Long> ids = new ArrayList<>();
        for (long id; ids.size() < length && (id = takeId()) >= 0; ) {
            ids.add(id);
            batch.add(message(id));
            if (ids.size() > 1) {
                pacer.await();
            }
        }
        if (ids.isEmpty()) {
            return false;
        }
        long start = System.nanoTime();
        try {
            SendResult result = producer.send(batch);
            took(start);
            for (long id : ids) {
                acknowledged(id, result.getMessageQueue().getBrokerName());
            }
        } catch (Exception e) {
            failed(ids.size(), e);
        }
        return true;
    }

    private final class AsyncSender implements Sender {
        private final DefaultMQProducer producer;
        private final int limit;
        private final Semaphore free;

        AsyncSender(DefaultMQProducer producer, int limit) {
            this.producer = producer;
            this.limit = limit;
            free = new Semaphore(limit);
        }

        @Override
        public boolean send(int thread) throws Exception {
            long id = takeId();
            if (id < 0) {
                return false;
            }
            free.acquire();
            long start = System.nanoTime();
            try {
                producer.send(message(id), new SendCallback() {
                    @Override
                    public void onSuccess(SendResult result) {
                        settle(id, start, result);
                        free.release();
                    }

                    @Override
                    public void onException(Throwable e) {
                        failed(1, e);
                        free.release();
                    }
                });
            } catch (Exception e) {
                free.release();
                throw e;
            }
            return true;
        }

        @Override
        public void finish() throws InterruptedException {
            free.tryAcquire(limit, 15, TimeUnit.SECONDS);
        }
    }

    /** Messages of one key leave one by one, from one thread, to one queue; "n" counts them within the key. */
    private final class OrderlySender implements Sender {
        private final DefaultMQProducer producer;
        private final int keys;
        private final int threads;
        private final long[] sequence;
        private final int[] turn;

        OrderlySender(DefaultMQProducer producer, int keys, int threads) {
            if (keys < threads) {
                throw new IllegalArgumentException("--keys must not be less than --threads");
            }
            this.producer = producer;
            this.keys = keys;
            this.threads = threads;
            sequence = new long[keys];
            turn = new int[threads];
        }

        @Override
        public boolean send(int thread) throws Exception {
            long id = takeId();
            if (id < 0) {
                return false;
            }
            int owned = (keys - thread + threads - 1) / threads;
            int key = thread + threads * (turn[thread]++ % owned);
            Message message = message(id);
            message.putUserProperty(Order.KEY, Integer.toString(key));
            message.putUserProperty(Order.NUMBER, Long.toString(sequence[key]++));
            long start = System.nanoTime();
            return settle(id, start, producer.send(message, (queues, m, k) -> queues.get((Integer) k % queues.size()), key));
        }
    }

    private final class TransactionSender implements Sender, TransactionListener {
        private final TransactionMQProducer producer;
        private final long rollbackEvery;
        private final long unknownEvery;
        private final Set<Long> undecided = ConcurrentHashMap.newKeySet();

        TransactionSender(TransactionMQProducer producer, long rollbackEvery, long unknownEvery) {
            this.producer = producer;
            this.rollbackEvery = rollbackEvery;
            this.unknownEvery = unknownEvery;
            producer.setTransactionListener(this);
        }

        @Override
        public boolean send(int thread) throws Exception {
            long id = takeId();
            if (id < 0) {
                return false;
            }
            long start = System.nanoTime();
            SendResult result = producer.sendMessageInTransaction(message(id), id);
            if (decide(id) == LocalTransactionState.ROLLBACK_MESSAGE) {
                took(start);
                return true;
            }
            return settle(id, start, result);
        }

        @Override
        public LocalTransactionState executeLocalTransaction(Message message, Object id) {
            LocalTransactionState state = decide((Long) id);
            if (state == LocalTransactionState.UNKNOW) {
                undecided.add((Long) id);
            }
            return state;
        }

        @Override
        public LocalTransactionState checkLocalTransaction(MessageExt message) {
            long id = Payload.read(message.getBody());
            undecided.remove(id);
            LocalTransactionState state = decide(id);
            return state == LocalTransactionState.UNKNOW ? LocalTransactionState.COMMIT_MESSAGE : state;
        }

        /** The broker asks about the undecided only while there is a producer to ask, and to answer it. */
        @Override
        public void finish() throws InterruptedException {
            for (int i = 0; i < 180 && !undecided.isEmpty(); i++) {
                Thread.sleep(100);
            }
        }

        private LocalTransactionState decide(long id) {
            if (rollbackEvery > 0 && id % rollbackEvery == rollbackEvery - 1) {
                return LocalTransactionState.ROLLBACK_MESSAGE;
            }
            return unknownEvery > 0 && id % unknownEvery == unknownEvery - 1
                    ? LocalTransactionState.UNKNOW
                    : LocalTransactionState.COMMIT_MESSAGE;
        }
    }
}
