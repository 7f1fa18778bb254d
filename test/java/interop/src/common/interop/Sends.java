// SPDX-License-Identifier: Apache-2.0
package interop;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendCallback;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;

/** Ways to send; each ends by reading what is stored. */
final class Sends {
    private Sends() {
    }

    static void sync(Run run) throws Exception {
        List<String> texts = Bodies.texts(run.name, 20);
        Map<String, Integer> perBroker = run.send(run.producer(), texts, "");
        int brokers = run.name.equals("one-broker-topic") ? 1 : Run.BROKERS;
        Failure.unlessEqual(brokers, perBroker.size(), "brokers that messages went to");
        run.drainSame(texts, "stored");
    }

    static void async(Run run) throws Exception {
        DefaultMQProducer producer = run.producer();
        List<String> texts = Bodies.texts(run.name, 20);
        CountDownLatch done = new CountDownLatch(texts.size());
        AtomicReference<Throwable> failure = new AtomicReference<>();
        for (String text : texts) {
            producer.send(run.message(text), new SendCallback() {
                @Override
                public void onSuccess(SendResult r) {
                    try {
                        Run.stored(r);
                    } catch (Failure e) {
                        failure.set(e);
                    }
                    done.countDown();
                }

                @Override
                public void onException(Throwable e) {
                    failure.set(e);
                    done.countDown();
                }
            });
        }
        Failure.unless(done.await(30, TimeUnit.SECONDS), done.getCount() + " callbacks never came");
        if (failure.get() != null) {
            throw new Exception("a callback failed", failure.get());
        }
        run.drainSame(texts, "stored");
    }

    static void oneway(Run run) throws Exception {
        DefaultMQProducer producer = run.producer();
        List<String> texts = Bodies.texts(run.name, 20);
        for (String text : texts) {
            producer.sendOneway(run.message(text));
        }
        run.drainSame(texts, "stored");
    }

    static void batch(Run run) throws Exception {
        List<String> texts = Bodies.texts(run.name, 10);
        List<Message> messages = new ArrayList<>();
        for (String text : texts) {
            messages.add(run.message(text));
        }
        Run.stored(run.producer().send(messages));
        run.drainSame(texts, "stored");
    }

    /** A body just below the broker's limit of 4 MiB, not compressible and not compressed. */
    static void large(Run run) throws Exception {
        DefaultMQProducer producer = run.producer();
        producer.setCompressMsgBodyOverHowmuch(Integer.MAX_VALUE);
        byte[] body = new byte[(4 << 20) - 512];
        new Random(4).nextBytes(body);
        Run.stored(producer.send(new Message(run.topic(), body), 20_000));
        List<MessageExt> got = run.drain(run.topic(), 1, 20_000);
        Failure.unlessEqual(1, got.size(), "messages");
        Failure.unless(Arrays.equals(body, got.get(0).getBody()), "the body came back different");
    }

    static void compressed(Run run) throws Exception {
        StringBuilder text = new StringBuilder();
        for (int i = 0; text.length() < 100_000; i++) {
            text.append("compressible ").append(i % 7).append('\n');
        }
        byte[] body = text.toString().getBytes(StandardCharsets.UTF_8);
        Run.stored(run.producer().send(new Message(run.topic(), body)));
        List<MessageExt> got = run.drain(run.topic(), 1, 20_000);
        Failure.unlessEqual(1, got.size(), "messages");
        Failure.unless(Arrays.equals(body, got.get(0).getBody()), "the body came back different");
        Failure.unless(got.get(0).getStoreSize() < 10_000, "stored uncompressed: " + got.get(0).getStoreSize() + " bytes");
    }

    /** Delay level 2, which is 2 s with the brokers' config. */
    static void delayed(Run run) throws Exception {
        DefaultMQProducer producer = run.producer();
        List<String> texts = Bodies.texts(run.name, 5);
        long begin = System.currentTimeMillis();
        for (String text : texts) {
            Message m = run.message(text);
            m.setDelayTimeLevel(2);
            Run.stored(producer.send(m));
        }
        List<MessageExt> got = run.drain(run.topic(), texts.size(), 20_000);
        Failure.unlessSame(texts, Bodies.texts(got), "stored");
        for (MessageExt m : got) {
            long after = m.getStoreTimestamp() - begin;
            Failure.unless(after >= 1800, "delivered after " + after + " ms, not 2 s");
        }
    }

    /** The port two below the broker's own, which old clients use by default. */
    static void vipChannel(Run run) throws Exception {
        DefaultMQProducer producer = new DefaultMQProducer(run.group("producer"));
        producer.setVipChannelEnabled(true);
        List<String> texts = Bodies.texts(run.name, 10);
        run.send(run.start(producer), texts, "");
        run.drainSame(texts, "stored");
    }
}
