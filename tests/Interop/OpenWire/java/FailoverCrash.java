import java.io.File;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicInteger;
import javax.jms.Connection;
import javax.jms.Message;
import javax.jms.MessageConsumer;
import javax.jms.MessageProducer;
import javax.jms.Session;
import javax.jms.TextMessage;
import org.apache.activemq.ActiveMQConnectionFactory;

/**
 * usage: FailoverCrash HOST:PORT STOPFILE. Sends and receives over the failover transport, and says "ready" when that
 * goes. Then the server is killed again and again, until the file is there. Takes what is left, and prints "ok" as its
 * last line when nothing that was sent is lost and nothing is there twice.
 */
public final class FailoverCrash {
    private static final long QUIET = 3_000;
    private static final int SENDERS = 3;
    private static final int SENT_MIN = 50;
    // Sends that wait for no answer, and what the client keeps of them to send it again after a reconnect: more than is
    // under way, so each reconnect repeats what the server has.
    private static final String ASYNC = "&trackMessages=true&maxCacheSize=1000000"
        + "&jms.useAsyncSend=true&jms.producerWindowSize=65536";
    private final String url;
    private final File stop;
    private final Map<String, Integer> seen = new ConcurrentHashMap<>();
    private final Map<String, Integer> sent = new ConcurrentSkipListMap<>();
    private final List<String> problems = new ArrayList<>();
    private volatile boolean over;

    private FailoverCrash(String address, File stop) {
        url = "failover:(tcp://" + address + ")?initialReconnectDelay=20&maxReconnectDelay=100&useExponentialBackOff=false";
        this.stop = stop;
    }

    public static void main(String[] arguments) throws Exception {
        FailoverCrash crash = new FailoverCrash(arguments[0], new File(arguments[1]));
        crash.run();
        if (crash.problems.isEmpty()) System.out.println("ok");
        else crash.problems.forEach(System.out::println);
        System.exit(crash.problems.isEmpty() ? 0 : 1);
    }

    private void run() throws Exception {
        Thread consumer = new Thread(this::consume);
        consumer.start();
        List<Thread> senders = new ArrayList<>();
        for (int i = 0; i < SENDERS; i++) {
            int number = i;
            senders.add(new Thread(() -> send(number)));
        }
        for (Thread sender : senders) sender.start();
        while (sent.size() < SENDERS || seen.isEmpty()) Thread.sleep(20);
        System.out.println("ready");
        for (Thread sender : senders) sender.join();
        over = true;
        consumer.join();
        check("live", seen, false);
        check("kept", drain("crash.kept"), true);
        check("first", drain("crash.first"), true);
        check("second", drain("crash.second"), true);
        System.out.println(sent.size() + " sent");
    }

    // One sender each: to a queue that is consumed meanwhile, to one that is not, and to two queues at once.
    private void send(int sender) {
        String[] targets = { "crash.live", "crash.kept", "crash.first,crash.second" };
        try (Closing closing = new Closing(sender == 1 ? ASYNC : "")) {
            Session session = closing.connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
            MessageProducer producer = session.createProducer(session.createQueue(targets[sender]));
            for (int number = 0; !stop.exists() || sent.size() < SENT_MIN; number++) {
                String text = sender + "-" + number;
                producer.send(session.createTextMessage(text));
                sent.put(text, sender);
                if (sender == 1) Thread.sleep(1);
            }
            // Is answered behind all of them.
            session.createTemporaryQueue();
        } catch (Exception failure) {
            problem("sender " + sender + ": " + failure);
        }
    }

    private void consume() {
        try (Closing closing = new Closing("")) {
            Session session = closing.connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
            MessageConsumer consumer = session.createConsumer(session.createQueue("crash.live"));
            long quietSince = System.currentTimeMillis();
            while (!over || System.currentTimeMillis() - quietSince < QUIET) {
                Message message = consumer.receive(200);
                if (message != null) {
                    seen.merge(((TextMessage) message).getText(), 1, Integer::sum);
                    quietSince = System.currentTimeMillis();
                }
            }
        } catch (Exception failure) {
            problem("consumer: " + failure);
        }
    }

    private Map<String, Integer> drain(String queue) throws Exception {
        Map<String, Integer> found = new TreeMap<>();
        // The client would hide what is there twice.
        try (Closing closing = new Closing("&jms.checkForDuplicates=false")) {
            Session session = closing.connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
            MessageConsumer consumer = session.createConsumer(session.createQueue(queue));
            for (Message message; (message = consumer.receive(QUIET)) != null; ) {
                found.merge(((TextMessage) message).getText(), 1, Integer::sum);
            }
        }
        return found;
    }

    private void check(String name, Map<String, Integer> found, boolean isExact) {
        int sender = name.equals("live") ? 0 : name.equals("kept") ? 1 : 2;
        AtomicInteger lost = new AtomicInteger();
        AtomicInteger twice = new AtomicInteger();
        sent.forEach((text, from) -> {
            if (from == sender && !found.containsKey(text)) lost.incrementAndGet();
        });
        found.forEach((text, times) -> {
            if (times > 1) twice.incrementAndGet();
        });
        System.out.println(name + ": " + found.size() + " found, " + lost + " lost, " + twice + " twice");
        if (lost.get() > 0) problem(name + " lost " + lost);
        // What an acknowledgement that was cut off brings again is no fault of a queue that is consumed meanwhile.
        if (isExact && twice.get() > 0) problem(name + " has twice: " + twice);
    }

    private synchronized void problem(String what) {
        problems.add(what);
    }

    private final class Closing implements AutoCloseable {
        final Connection connection;

        Closing(String options) throws Exception {
            connection = new ActiveMQConnectionFactory(url + options).createConnection();
            connection.start();
        }

        @Override
        public void close() throws Exception {
            connection.close();
        }
    }
}
