import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import javax.jms.Connection;
import javax.jms.Message;
import javax.jms.MessageConsumer;
import javax.jms.Queue;
import javax.jms.Session;
import javax.jms.TextMessage;
import javax.jms.XAConnection;
import javax.jms.XASession;
import javax.transaction.xa.XAException;
import javax.transaction.xa.XAResource;
import javax.transaction.xa.Xid;
import org.apache.activemq.ActiveMQConnectionFactory;
import org.apache.activemq.ActiveMQXAConnectionFactory;

/** Distributed transactions. Each public method is a scenario; "ok" is the last line of a good one. */
public final class XaScenarios {
    private static final long WAIT = 20_000;
    private static final long MOMENT = 300;
    private final String url;
    private final String name;
    private final List<Connection> connections = new ArrayList<>();
    private int lastXid;

    private XaScenarios(String url, String name) {
        this.url = url;
        this.name = name;
    }

    public static void main(String[] arguments) throws Exception {
        XaScenarios scenarios = new XaScenarios("tcp://" + arguments[0], arguments[1]);
        try {
            XaScenarios.class.getDeclaredMethod(arguments[1]).invoke(scenarios);
            for (Connection connection : scenarios.connections) connection.close();
        } catch (java.lang.reflect.InvocationTargetException failure) {
            failure.getCause().printStackTrace();
            System.exit(1);
        }
        System.out.println("ok");
    }

    // ---- scenarios ----

    void twoPhases() throws Exception {
        XASession session = xaSession();
        XAResource resource = session.getXAResource();
        Queue work = queue("work");
        Queue results = queue("results");
        sendPlain(work, "work");
        Xid xid = xid();
        resource.start(xid, XAResource.TMNOFLAGS);
        equal("work", text(session.createConsumer(work)));
        session.createProducer(results).send(session.createTextMessage("result"));
        resource.end(xid, XAResource.TMSUCCESS);
        equal(XAResource.XA_OK, resource.prepare(xid));
        equal(null, receivePlain(results, MOMENT));
        resource.commit(xid, false);
        equal("result", receivePlain(results, WAIT));
        session.close();
        equal(null, receivePlain(work, MOMENT));
        refused(XAException.XAER_NOTA, () -> resource.commit(xid, false));
    }

    void onePhaseAndNothingToDo() throws Exception {
        XASession session = xaSession();
        XAResource resource = session.getXAResource();
        Xid xid = xid();
        resource.start(xid, XAResource.TMNOFLAGS);
        session.createProducer(queue("one")).send(session.createTextMessage("one phase"));
        resource.end(xid, XAResource.TMSUCCESS);
        resource.commit(xid, true);
        equal("one phase", receivePlain(queue("one"), WAIT));
        Xid empty = xid();
        resource.start(empty, XAResource.TMNOFLAGS);
        resource.end(empty, XAResource.TMSUCCESS);
        equal(XAResource.XA_RDONLY, resource.prepare(empty));
    }

    void rollbackBeforeAndAfterPreparation() throws Exception {
        for (boolean prepares : new boolean[] { false, true }) {
            XASession session = xaSession();
            XAResource resource = session.getXAResource();
            Queue work = queue("work");
            sendPlain(work, "work");
            Xid xid = xid();
            resource.start(xid, XAResource.TMNOFLAGS);
            equal("work", text(session.createConsumer(work)));
            session.createProducer(queue("results")).send(session.createTextMessage("result"));
            resource.end(xid, XAResource.TMSUCCESS);
            if (prepares) equal(XAResource.XA_OK, resource.prepare(xid));
            resource.rollback(xid);
            session.close();
            equal("work", receivePlain(work, WAIT));
            equal(null, receivePlain(queue("results"), MOMENT));
        }
    }

    void recoveryByAnotherConnection() throws Exception {
        XAConnection connection = xaConnection();
        XASession session = connection.createXASession();
        XAResource resource = session.getXAResource();
        Queue work = queue("work");
        sendPlain(work, "work");
        Xid commits = xid();
        resource.start(commits, XAResource.TMNOFLAGS);
        equal("work", text(session.createConsumer(work)));
        session.createProducer(queue("results")).send(session.createTextMessage("result"));
        resource.end(commits, XAResource.TMSUCCESS);
        equal(XAResource.XA_OK, resource.prepare(commits));
        Xid rollsBack = xid();
        resource.start(rollsBack, XAResource.TMNOFLAGS);
        session.createProducer(queue("results")).send(session.createTextMessage("never"));
        resource.end(rollsBack, XAResource.TMSUCCESS);
        equal(XAResource.XA_OK, resource.prepare(rollsBack));
        connection.close();
        equal(null, receivePlain(work, MOMENT));
        XAResource recovery = xaSession().getXAResource();
        equal(true, inDoubt(recovery, commits) && inDoubt(recovery, rollsBack));
        recovery.commit(commits, false);
        recovery.rollback(rollsBack);
        equal(false, inDoubt(recovery, commits) || inDoubt(recovery, rollsBack));
        equal("result", receivePlain(queue("results"), WAIT));
        equal(null, receivePlain(queue("results"), MOMENT));
        equal(null, receivePlain(work, MOMENT));
    }

    void codesOfRefusals() throws Exception {
        XASession session = xaSession();
        XAResource resource = session.getXAResource();
        Xid unknown = xid();
        refused(XAException.XAER_NOTA, () -> resource.commit(unknown, false));
        refused(XAException.XAER_NOTA, () -> resource.rollback(unknown));
        refused(XAException.XAER_NOTA, () -> resource.prepare(unknown));
        refused(XAException.XAER_NOTA, () -> resource.forget(unknown));
        Xid xid = xid();
        resource.start(xid, XAResource.TMNOFLAGS);
        session.createProducer(queue("codes")).send(session.createTextMessage("m"));
        XASession other = xaSession();
        XAResource otherResource = other.getXAResource();
        otherResource.start(xid, XAResource.TMNOFLAGS);
        refused(XAException.XAER_NOTA, () -> {
            // Begun without an answer: the refusal comes with the first step that waits for one.
            otherResource.end(xid, XAResource.TMSUCCESS);
            otherResource.prepare(xid);
        }, XAException.XAER_PROTO, XAException.XAER_DUPID);
        resource.end(xid, XAResource.TMSUCCESS);
        refused(XAException.XAER_PROTO, () -> otherResource.commit(xid, true));
        equal(XAResource.XA_OK, resource.prepare(xid));
        resource.commit(xid, false);
        equal("m", receivePlain(queue("codes"), WAIT));
    }

    // Prepares a branch, says so, and waits to be killed or told to go on.
    void prepareAndWait() throws Exception {
        XASession session = xaSession();
        XAResource resource = session.getXAResource();
        Xid xid = fixedXid(Integer.parseInt(System.getProperty("branch", "1")));
        sendPlain(queue("in"), "in");
        resource.start(xid, XAResource.TMNOFLAGS);
        equal("in", text(session.createConsumer(queue("in"))));
        session.createProducer(queue("out")).send(session.createTextMessage("out"));
        resource.end(xid, XAResource.TMSUCCESS);
        equal(XAResource.XA_OK, resource.prepare(xid));
    }

    void commitAfterRestart() throws Exception {
        XAResource resource = xaSession().getXAResource();
        Xid xid = fixedXid(1);
        equal(true, inDoubt(resource, xid));
        equal(null, receiveOf("prepareAndWait.in", MOMENT));
        equal(null, receiveOf("prepareAndWait.out", MOMENT));
        resource.commit(xid, false);
        equal("out", receiveOf("prepareAndWait.out", WAIT));
        equal(null, receiveOf("prepareAndWait.in", MOMENT));
        equal(false, inDoubt(resource, xid));
    }

    void rollbackAfterRestart() throws Exception {
        XAResource resource = xaSession().getXAResource();
        Xid xid = fixedXid(1);
        equal(true, inDoubt(resource, xid));
        resource.rollback(xid);
        equal("in", receiveOf("prepareAndWait.in", WAIT));
        equal(null, receiveOf("prepareAndWait.out", MOMENT));
    }

    void operatorHasCommitted() throws Exception {
        XAResource resource = xaSession().getXAResource();
        Xid xid = fixedXid(1);
        equal("out", receiveOf("prepareAndWait.out", WAIT));
        equal(true, inDoubt(resource, xid));
        refused(XAException.XA_HEURCOM, () -> resource.commit(xid, false));
        refused(XAException.XA_HEURCOM, () -> resource.rollback(xid));
        resource.forget(xid);
        equal(false, inDoubt(resource, xid));
        refused(XAException.XAER_NOTA, () -> resource.commit(xid, false));
    }

    // ---- over streams: "work" reads the stream "in", "copies" the stream "out" ----

    void streamTwoPhases() throws Exception {
        fillStream();
        Xid xid = xid();
        XAResource resource = prepareOverStreams(xid);
        equal(null, receiveOf("copies", MOMENT));
        resource.commit(xid, false);
        equal("of 1", receiveOf("copies", WAIT));
        equal("2", receiveOf("work", WAIT));
        equal("3", receiveOf("work", WAIT));
        equal(null, receiveOf("work", MOMENT));
    }

    void streamRollback() throws Exception {
        fillStream();
        Xid xid = xid();
        prepareOverStreams(xid).rollback(xid);
        equal("1", receiveOf("work", WAIT));
        equal("2", receiveOf("work", WAIT));
        equal("3", receiveOf("work", WAIT));
        equal(null, receiveOf("copies", MOMENT));
    }

    void streamPrepareAndWait() throws Exception {
        fillStream();
        prepareOverStreams(fixedXid(1));
    }

    void streamCommitAfterRestart() throws Exception {
        XAResource resource = xaSession().getXAResource();
        equal(true, inDoubt(resource, fixedXid(1)));
        equal("2", receiveOf("work", WAIT));
        equal(null, receiveOf("copies", MOMENT));
        resource.commit(fixedXid(1), false);
        equal("of 1", receiveOf("copies", WAIT));
        equal("3", receiveOf("work", WAIT));
        equal(null, receiveOf("work", MOMENT));
    }

    void streamRollbackAfterRestart() throws Exception {
        XAResource resource = xaSession().getXAResource();
        equal(true, inDoubt(resource, fixedXid(1)));
        equal("2", receiveOf("work", WAIT));
        resource.rollback(fixedXid(1));
        equal("1", receiveOf("work", WAIT));
        equal("3", receiveOf("work", WAIT));
        equal(null, receiveOf("copies", MOMENT));
    }

    void streamOperatorHasCommitted() throws Exception {
        XAResource resource = xaSession().getXAResource();
        Xid xid = fixedXid(1);
        equal("of 1", receiveOf("copies", WAIT));
        equal("2", receiveOf("work", WAIT));
        equal("3", receiveOf("work", WAIT));
        equal(null, receiveOf("work", MOMENT));
        equal(true, inDoubt(resource, xid));
        refused(XAException.XA_HEURCOM, () -> resource.commit(xid, false));
        resource.forget(xid);
        equal(false, inDoubt(resource, xid));
    }

    // Takes the first record, writes one, prepares.
    private XAResource prepareOverStreams(Xid xid) throws Exception {
        XASession session = xaSession();
        XAResource resource = session.getXAResource();
        resource.start(xid, XAResource.TMNOFLAGS);
        String record = text(session.createConsumer(new org.apache.activemq.command.ActiveMQQueue("xa.work")));
        equal("1", record);
        session.createProducer(new org.apache.activemq.command.ActiveMQQueue("xa.out"))
            .send(session.createTextMessage("of " + record));
        resource.end(xid, XAResource.TMSUCCESS);
        equal(XAResource.XA_OK, resource.prepare(xid));
        session.close();
        return xaSession().getXAResource();
    }

    private void fillStream() throws Exception {
        Session session = plain();
        javax.jms.MessageProducer producer =
            session.createProducer(new org.apache.activemq.command.ActiveMQQueue("xa.in"));
        for (String text : new String[] { "1", "2", "3" }) producer.send(session.createTextMessage(text));
    }

    // ---- as a member of a consumer group of the stream "in": its offset moves with the branch ----

    void streamGroupPrepareAndWait() throws Exception {
        fillStream();
        XASession session = xaSession();
        XAResource resource = session.getXAResource();
        Xid xid = fixedXid(1);
        resource.start(xid, XAResource.TMNOFLAGS);
        String record = text(session.createConsumer(group()));
        equal("1", record);
        session.createProducer(new org.apache.activemq.command.ActiveMQQueue("xa.out"))
            .send(session.createTextMessage("of " + record));
        resource.end(xid, XAResource.TMSUCCESS);
        equal(XAResource.XA_OK, resource.prepare(xid));
        session.close();
        equal(null, receiveOfGroup(MOMENT));
    }

    void streamGroupCommitAfterRestart() throws Exception {
        XAResource resource = xaSession().getXAResource();
        equal(true, inDoubt(resource, fixedXid(1)));
        equal(null, receiveOfGroup(MOMENT));
        resource.commit(fixedXid(1), false);
        equal("2", receiveOfGroup(WAIT));
        equal("3", receiveOfGroup(WAIT));
        equal("of 1", receiveOf("copies", WAIT));
    }

    void streamGroupRollbackAfterRestart() throws Exception {
        XAResource resource = xaSession().getXAResource();
        equal(true, inDoubt(resource, fixedXid(1)));
        resource.rollback(fixedXid(1));
        equal("1", receiveOfGroup(WAIT));
        equal("2", receiveOfGroup(WAIT));
        equal("3", receiveOfGroup(WAIT));
        equal(null, receiveOf("copies", MOMENT));
    }

    private static javax.jms.Topic group() {
        return new org.apache.activemq.command.ActiveMQTopic("xa.in/ConsumerGroups/g?consumer.retroactive=true");
    }

    private String receiveOfGroup(long wait) throws Exception {
        Session session = plain();
        Message message = session.createConsumer(group()).receive(wait);
        session.close();
        return message == null ? null : ((TextMessage) message).getText();
    }

    void nothingInDoubt() throws Exception {
        equal(false, inDoubt(xaSession().getXAResource(), fixedXid(1)));
    }

    // ---- what they are made of ----

    private interface Step {
        void run() throws Exception;
    }

    private static void refused(int code, Step step, int... orElse) throws Exception {
        try {
            step.run();
        } catch (XAException refusal) {
            int got = refusal.errorCode;
            if (got != code && Arrays.stream(orElse).noneMatch(other -> other == got)) {
                throw new AssertionError("expected code " + code + ", got " + got + ": " + refusal.getMessage());
            }
            return;
        }
        throw new AssertionError("expected code " + code + ", but it went through");
    }

    private static boolean inDoubt(XAResource resource, Xid xid) throws XAException {
        for (Xid found : resource.recover(XAResource.TMSTARTRSCAN)) {
            if (found.getFormatId() == xid.getFormatId()
                && Arrays.equals(found.getGlobalTransactionId(), xid.getGlobalTransactionId())
                && Arrays.equals(found.getBranchQualifier(), xid.getBranchQualifier())) {
                return true;
            }
        }
        return false;
    }

    private XAConnection xaConnection() throws Exception {
        XAConnection connection = new ActiveMQXAConnectionFactory(url).createXAConnection();
        connections.add(connection);
        connection.start();
        return connection;
    }

    private XASession xaSession() throws Exception {
        return xaConnection().createXASession();
    }

    private Queue queue(String what) {
        return new org.apache.activemq.command.ActiveMQQueue("xa." + name + "." + what);
    }

    private void sendPlain(Queue queue, String text) throws Exception {
        Session session = plain();
        session.createProducer(queue).send(session.createTextMessage(text));
    }

    private String receiveOf(String what, long wait) throws Exception {
        return receivePlain(new org.apache.activemq.command.ActiveMQQueue("xa." + what), wait);
    }

    private String receivePlain(Queue queue, long wait) throws Exception {
        Session session = plain();
        Message message = session.createConsumer(queue).receive(wait);
        session.close();
        return message == null ? null : ((TextMessage) message).getText();
    }

    private Session plain() throws Exception {
        Connection connection = new ActiveMQConnectionFactory(url).createConnection();
        connections.add(connection);
        connection.start();
        return connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
    }

    private Xid xid() {
        return new Name(4711, (name + System.nanoTime()).getBytes(), ("b" + ++lastXid).getBytes());
    }

    private static Xid fixedXid(int number) {
        return new Name(-7, "fixed".getBytes(), new byte[] { (byte) number });
    }

    private static String text(MessageConsumer consumer) throws Exception {
        Message message = consumer.receive(WAIT);
        if (message == null) throw new AssertionError("no message came");
        return ((TextMessage) message).getText();
    }

    private static void equal(Object expected, Object got) {
        if (!Objects.equals(expected, got)) throw new AssertionError("expected " + expected + ", got " + got);
    }

    private record Name(int format, byte[] global, byte[] branch) implements Xid {
        public int getFormatId() {
            return format;
        }

        public byte[] getGlobalTransactionId() {
            return global;
        }

        public byte[] getBranchQualifier() {
            return branch;
        }
    }
}
