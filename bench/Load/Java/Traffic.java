import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import javax.jms.BytesMessage;
import javax.jms.JMSException;
import javax.jms.Message;
import javax.jms.Session;

/** Messages with numbers from 0 on to one queue and from it, on threads of their own. */
abstract class Traffic {
    private final int bodyBytes;
    private final AtomicLong sent = new AtomicLong();
    private final AtomicLong received = new AtomicLong();
    private final List<Thread> threads = new ArrayList<>();
    private volatile boolean sendingIsOver;
    private volatile boolean hasSentAll;
    private volatile boolean isOver;
    private volatile long outOfOrder;
    private long expected;

    Traffic(int bodyBytes) {
        this.bodyBytes = bodyBytes;
    }

    /** Begins; returns at once. */
    abstract void start() throws Exception;

    /** Messages of a distributed transaction in one direction; 0: there are none. */
    int messagesPerBranch() {
        return 0;
    }

    /** Sends no more, waits until everything sent has come, at most so long, and closes. */
    final void stop(long millisecondsMax) throws Exception {
        sendingIsOver = true;
        long end = System.nanoTime() + millisecondsMax * 1_000_000;
        while ((!hasSentAll || missing() > 0) && System.nanoTime() < end) Thread.sleep(10);
        isOver = true;
        for (Thread thread : threads) thread.join(millisecondsMax);
    }

    final long received() {
        return received.get();
    }

    final long missing() {
        return sent.get() - received.get();
    }

    final long outOfOrder() {
        return outOfOrder;
    }

    final boolean sendingIsOver() {
        return sendingIsOver;
    }

    final boolean isOver() {
        return isOver;
    }

    /** Runs on a thread of its own; what goes wrong there ends the program. */
    final void run(String name, Work work) {
        Thread thread = new Thread(() -> {
            try {
                work.run();
            } catch (Throwable failure) {
                failure.printStackTrace();
                System.exit(2);
            }
        }, name);
        threads.add(thread);
        thread.start();
    }

    /** The next message to send; the caller is the only one who sends. */
    final BytesMessage next(Session session) throws JMSException {
        BytesMessage message = session.createBytesMessage();
        message.writeLong(sent.get());
        message.writeBytes(new byte[bodyBytes - Long.BYTES]);
        return message;
    }

    /** The sender will send no more. */
    final void onSentAll() {
        hasSentAll = true;
    }

    final void onSent() {
        sent.incrementAndGet();
    }

    /** Checks the number; the caller is the only one who receives. */
    final void onReceived(Message message) throws JMSException {
        long number = ((BytesMessage) message).readLong();
        if (number != expected) outOfOrder++;
        expected = number + 1;
        received.incrementAndGet();
    }

    interface Work {
        void run() throws Exception;
    }
}
