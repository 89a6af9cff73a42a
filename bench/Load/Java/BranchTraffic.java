import java.nio.ByteBuffer;
import javax.jms.Message;
import javax.jms.MessageConsumer;
import javax.jms.MessageProducer;
import javax.jms.Queue;
import javax.jms.XAConnection;
import javax.jms.XASession;
import javax.transaction.xa.XAResource;
import javax.transaction.xa.Xid;
import org.apache.activemq.ActiveMQXAConnectionFactory;

/**
 * Distributed transactions in two phases, one branch after the other on one session: each branch sends a message and
 * receives the one that the branch before has sent.
 */
final class BranchTraffic extends Traffic {
    private static final long RECEIVE_MILLISECONDS = 10_000;
    private final String url;
    private final String queue;
    private final byte number;
    private long lastXid;

    /** number: which of those that run at once, at most 127. */
    BranchTraffic(String url, String queue, int bodyBytes, int number) {
        super(bodyBytes);
        this.number = (byte) number;
        this.url = url;
        this.queue = queue;
    }

    @Override
    int messagesPerBranch() {
        return 1;
    }

    @Override
    void start() {
        run("branches " + number, this::branches);
    }

    private void branches() throws Exception {
        XAConnection connection = new ActiveMQXAConnectionFactory(url).createXAConnection();
        connection.start();
        XASession session = connection.createXASession();
        Queue place = session.createQueue(queue);
        MessageProducer producer = session.createProducer(place);
        MessageConsumer consumer = session.createConsumer(place);
        // The first sends only, the last receives only.
        branch(session, producer, null);
        while (!sendingIsOver()) branch(session, producer, consumer);
        branch(session, null, consumer);
        onSentAll();
        connection.close();
    }

    private void branch(XASession session, MessageProducer producer, MessageConsumer consumer) throws Exception {
        XAResource resource = session.getXAResource();
        Xid xid = new NumberedXid(++lastXid, number);
        resource.start(xid, XAResource.TMNOFLAGS);
        Message message = consumer == null ? null : consumer.receive(RECEIVE_MILLISECONDS);
        if (producer != null) producer.send(next(session));
        resource.end(xid, XAResource.TMSUCCESS);
        if (resource.prepare(xid) == XAResource.XA_OK) resource.commit(xid, false);
        if (producer != null) onSent();
        if (message != null) onReceived(message);
    }

    /** A branch of this program: a number, and the time it began for whoever had the same queue before. */
    private static final class NumberedXid implements Xid {
        private static final int FORMAT = 0x4a4d534c;
        private static final long BEGUN = System.currentTimeMillis();
        private final long number;
        private final byte branch;

        NumberedXid(long number, byte branch) {
            this.number = number;
            this.branch = branch;
        }

        @Override
        public int getFormatId() {
            return FORMAT;
        }

        @Override
        public byte[] getGlobalTransactionId() {
            return ByteBuffer.allocate(2 * Long.BYTES + 1).putLong(BEGUN).putLong(number).put(branch).array();
        }

        @Override
        public byte[] getBranchQualifier() {
            return new byte[] {1};
        }
    }
}
