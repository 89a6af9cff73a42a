import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import javax.jms.MessageConsumer;
import javax.jms.Session;
import javax.jms.TextMessage;
import javax.jms.XASession;
import javax.sql.XAConnection;
import javax.transaction.xa.XAException;
import javax.transaction.xa.XAResource;
import javax.transaction.xa.Xid;
import org.apache.activemq.ActiveMQConnectionFactory;
import org.apache.activemq.ActiveMQXAConnectionFactory;
import org.postgresql.ds.PGSimpleDataSource;
import org.postgresql.xa.PGXADataSource;

/**
 * An airline books a passenger: the row goes into PostgreSQL, the event goes to Pillarbox, and one two-phase transaction
 * sees to it that both happen or neither. This program is the transaction manager too, so that every step can be seen.
 *
 * usage: Airline book PASSENGER HALT_AT | Airline recover | Airline check PASSENGER...
 */
public final class Airline {
    private static final int FORMAT = 0x41524C4E;
    private static final String ADDRESS = "passengers";
    private static final String AUDIT = "Consumer.audit.VirtualTopic." + ADDRESS;

    private final String database = System.getenv("AIRLINE_DATABASE");
    private final String broker = System.getenv("AIRLINE_BROKER");
    private final Path decisions = Path.of(System.getenv("AIRLINE_DECISIONS"));

    public static void main(String[] arguments) throws Exception {
        Airline airline = new Airline();
        switch (arguments[0]) {
            case "book" -> airline.book(arguments[1], Integer.parseInt(arguments[2]));
            case "recover" -> airline.recover();
            case "check" -> airline.check(List.of(arguments).subList(1, arguments.length));
            default -> throw new IllegalArgumentException(arguments[0]);
        }
        System.exit(0);
    }

    // ---- a booking ----

    private void book(String passenger, int haltAt) throws Exception {
        XAConnection table = tableXa().getXAConnection();
        javax.jms.XAConnection queue = new ActiveMQXAConnectionFactory(broker).createXAConnection();
        queue.start();
        XASession session = queue.createXASession();
        XAResource tables = table.getXAResource();
        XAResource queues = session.getXAResource();
        Xid row = new Name(passenger, "row");
        Xid event = new Name(passenger, "event");

        tables.start(row, XAResource.TMNOFLAGS);
        queues.start(event, XAResource.TMNOFLAGS);
        insert(table.getConnection(), passenger);
        session.createProducer(session.createTopic("VirtualTopic." + ADDRESS))
            .send(session.createTextMessage(passenger));
        tables.end(row, XAResource.TMSUCCESS);
        queues.end(event, XAResource.TMSUCCESS);
        step(1, "the work is done, nothing is prepared", haltAt);
        tables.prepare(row);
        step(2, "the database has prepared", haltAt);
        queues.prepare(event);
        step(3, "both have prepared", haltAt);
        decide(passenger);
        step(4, "the decision is on disk", haltAt);
        tables.commit(row, false);
        step(5, "the database has committed", haltAt);
        queues.commit(event, false);
        step(6, "both have committed", haltAt);
    }

    private static void insert(Connection connection, String passenger) throws Exception {
        try (PreparedStatement insert = connection.prepareStatement("insert into passengers values (?)")) {
            insert.setString(1, passenger);
            insert.executeUpdate();
        }
    }

    // Says where it is; at the step that was asked for it waits, so that somebody can be killed.
    private static void step(int number, String what, int haltAt) throws Exception {
        System.out.println("step " + number + ": " + what);
        if (number == haltAt) {
            System.out.println("halted");
            new BufferedReader(new InputStreamReader(System.in)).readLine();
        }
    }

    // The transaction manager's log: what is in it is committed, what is not is rolled back.
    private void decide(String passenger) throws Exception {
        try (FileChannel log = FileChannel.open(decisions, StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
            log.write(ByteBuffer.wrap((passenger + "\n").getBytes(StandardCharsets.UTF_8)));
            log.force(true);
        }
    }

    // ---- after a crash ----

    private void recover() throws Exception {
        Set<String> committed = new HashSet<>();
        if (Files.exists(decisions)) committed.addAll(Files.readAllLines(decisions));
        resolve("database", tableXa().getXAConnection().getXAResource(), committed);
        javax.jms.XAConnection connection = new ActiveMQXAConnectionFactory(broker).createXAConnection();
        connection.start();
        resolve("broker", connection.createXASession().getXAResource(), committed);
    }

    private static void resolve(String who, XAResource resource, Set<String> committed) throws XAException {
        for (Xid xid : resource.recover(XAResource.TMSTARTRSCAN | XAResource.TMENDRSCAN)) {
            if (xid.getFormatId() != FORMAT) continue;
            String passenger = new String(xid.getGlobalTransactionId(), StandardCharsets.UTF_8);
            boolean commits = committed.contains(passenger);
            System.out.println("in doubt at the " + who + ": " + passenger + (commits ? ", committed" : ", rolled back"));
            if (commits) resource.commit(xid, false);
            else resource.rollback(xid);
        }
    }

    // Both or neither, for each passenger.
    private void check(List<String> passengers) throws Exception {
        Set<String> rows = rows();
        Set<String> events = events();
        int booked = 0;
        for (String passenger : passengers) {
            boolean row = rows.contains(passenger);
            boolean event = events.contains(passenger);
            if (row != event) throw new AssertionError(passenger + ": row " + row + ", event " + event);
            if (row) booked++;
        }
        System.out.println(passengers.size() + " bookings were interrupted: " + booked + " went through, "
            + (passengers.size() - booked) + " did not, none by half");
    }

    private Set<String> rows() throws Exception {
        PGSimpleDataSource source = new PGSimpleDataSource();
        source.setURL(database);
        Set<String> rows = new HashSet<>();
        try (Connection connection = source.getConnection();
             ResultSet found = connection.createStatement().executeQuery("select name from passengers")) {
            while (found.next()) rows.add(found.getString(1));
        }
        return rows;
    }

    private Set<String> events() throws Exception {
        javax.jms.Connection connection = new ActiveMQConnectionFactory(broker).createConnection();
        connection.start();
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        MessageConsumer consumer = session.createConsumer(session.createQueue(AUDIT));
        List<String> events = new ArrayList<>();
        for (TextMessage m; (m = (TextMessage) consumer.receive(1000)) != null; ) events.add(m.getText());
        Set<String> different = new HashSet<>(events);
        if (different.size() != events.size()) throw new AssertionError("an event came twice: " + events);
        connection.close();
        return different;
    }

    private PGXADataSource tableXa() {
        PGXADataSource source = new PGXADataSource();
        source.setURL(database);
        return source;
    }

    private record Name(String passenger, String branch) implements Xid {
        public int getFormatId() {
            return FORMAT;
        }

        public byte[] getGlobalTransactionId() {
            return passenger.getBytes(StandardCharsets.UTF_8);
        }

        public byte[] getBranchQualifier() {
            return branch.getBytes(StandardCharsets.UTF_8);
        }
    }
}
