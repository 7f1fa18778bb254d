// SPDX-License-Identifier: Apache-2.0
package interop;

import java.util.Collections;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.rocketmq.client.producer.LocalTransactionState;
import org.apache.rocketmq.client.producer.TransactionListener;
import org.apache.rocketmq.client.producer.TransactionMQProducer;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;

/** Half messages and what becomes of them. */
final class Transactions {
    private static final int MESSAGES = 6;

    private Transactions() {
    }

    /** Says the same of every message at first, and when asked again. */
    private static final class Verdict implements TransactionListener {
        final AtomicInteger checks = new AtomicInteger();
        final ConcurrentHashMap<String, Boolean> checked = new ConcurrentHashMap<>();
        private final LocalTransactionState first;
        private final LocalTransactionState later;

        Verdict(LocalTransactionState first, LocalTransactionState later) {
            this.first = first;
            this.later = later;
        }

        @Override
        public LocalTransactionState executeLocalTransaction(Message m, Object arg) {
            return first;
        }

        @Override
        public LocalTransactionState checkLocalTransaction(MessageExt m) {
            checks.incrementAndGet();
            checked.put(Bodies.text(m), true);
            return later;
        }
    }

    private static List<String> sendAll(Run run, Verdict verdict) throws Exception {
        TransactionMQProducer producer = new TransactionMQProducer(run.group("producer"));
        producer.setTransactionListener(verdict);
        run.start(producer);
        List<String> texts = Bodies.texts(run.name, MESSAGES);
        for (String text : texts) {
            Run.stored(producer.sendMessageInTransaction(run.message(text), null));
        }
        return texts;
    }

    /** Commits are carried out at once, and never asked for again. */
    static void commit(Run run) throws Exception {
        Verdict verdict = new Verdict(LocalTransactionState.COMMIT_MESSAGE, LocalTransactionState.COMMIT_MESSAGE);
        long begin = System.currentTimeMillis();
        List<String> texts = sendAll(run, verdict);
        List<MessageExt> got = run.drain(run.topic(), texts.size(), 5000);
        Failure.unlessSame(texts, Bodies.texts(got), "committed within 5 s");
        untilChecksWouldCome(begin);
        Failure.unlessEqual(0, verdict.checks.get(), "checks of transactions that were committed");
        run.drainSame(texts, "committed");
    }

    /** Rollbacks are carried out, and never asked for again. */
    static void rollback(Run run) throws Exception {
        Verdict verdict = new Verdict(LocalTransactionState.ROLLBACK_MESSAGE, LocalTransactionState.COMMIT_MESSAGE);
        long begin = System.currentTimeMillis();
        sendAll(run, verdict);
        untilChecksWouldCome(begin);
        Failure.unlessEqual(0, verdict.checks.get(), "checks of transactions that were rolled back");
        Failure.unlessSame(Collections.emptyList(), Bodies.texts(run.drain(run.topic(), 0, 0)), "delivered");
    }

    /** The broker asks for the verdict that it was not given, and carries it out. */
    static void checkBack(Run run) throws Exception {
        Verdict verdict = new Verdict(LocalTransactionState.UNKNOW, LocalTransactionState.COMMIT_MESSAGE);
        List<String> texts = sendAll(run, verdict);
        Failure.unlessWithin(40_000, () -> verdict.checked.size() == texts.size(), "checks of all transactions");
        run.drainSame(texts, "committed after a check");
    }

    /** With the brokers' config a check comes after at most 11 s, and a little. */
    private static void untilChecksWouldCome(long begin) throws InterruptedException {
        Thread.sleep(Math.max(0, begin + 14_000 - System.currentTimeMillis()));
    }
}
