import java.util.concurrent.locks.LockSupport;
import javax.jms.Connection;
import javax.jms.DeliveryMode;
import javax.jms.Message;
import javax.jms.MessageConsumer;
import javax.jms.MessageProducer;
import javax.jms.Session;
import org.apache.activemq.ActiveMQConnectionFactory;

/** One connection that sends and one that receives, as fast as they can, each with or without local transactions. */
final class QueueTraffic extends Traffic {
    /** Messages sent and not yet received: a server whose queue grows shows no rate that lasts. */
    private static final long UNDER_WAY_MAX = 5_000;
    private static final long PAUSE_NANOSECONDS = 50_000;
    private static final long RECEIVE_MILLISECONDS = 100;
    private final ActiveMQConnectionFactory factory;
    private final String queue;
    private final boolean isDurable;
    private final int perTransaction;

    /** perTransaction: messages of a local transaction; 0: none. */
    QueueTraffic(String url, String queue, int bodyBytes, boolean isDurable, int perTransaction) {
        super(bodyBytes);
        this.factory = new ActiveMQConnectionFactory(url);
        this.queue = queue;
        this.isDurable = isDurable;
        this.perTransaction = perTransaction;
    }

    @Override
    void start() {
        run("receiver", this::receive);
        run("sender", this::send);
    }

    private void send() throws Exception {
        Connection connection = factory.createConnection();
        connection.start();
        Session session = session(connection);
        MessageProducer producer = session.createProducer(session.createQueue(queue));
        producer.setDeliveryMode(isDurable ? DeliveryMode.PERSISTENT : DeliveryMode.NON_PERSISTENT);
        int open = 0;
        while (!sendingIsOver()) {
            if (missing() >= UNDER_WAY_MAX) {
                LockSupport.parkNanos(PAUSE_NANOSECONDS);
                continue;
            }
            producer.send(next(session));
            onSent();
            open = commitIfFull(session, open + 1);
        }
        commitRest(session, open);
        onSentAll();
        connection.close();
    }

    private void receive() throws Exception {
        Connection connection = factory.createConnection();
        connection.start();
        Session session = session(connection);
        MessageConsumer consumer = session.createConsumer(session.createQueue(queue));
        int open = 0;
        while (!isOver()) {
            Message message = consumer.receive(RECEIVE_MILLISECONDS);
            if (message != null) {
                onReceived(message);
                open = commitIfFull(session, open + 1);
            }
        }
        commitRest(session, open);
        connection.close();
    }

    private Session session(Connection connection) throws Exception {
        return perTransaction > 0
            ? connection.createSession(true, Session.SESSION_TRANSACTED)
            : connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
    }

    // How many are in the transaction now.
    private int commitIfFull(Session session, int open) throws Exception {
        if (perTransaction == 0) return 0;
        if (open < perTransaction) return open;
        session.commit();
        return 0;
    }

    private void commitRest(Session session, int open) throws Exception {
        if (open > 0) session.commit();
    }
}
