import javax.jms.Connection;
import javax.jms.MessageConsumer;
import javax.jms.Session;
import org.apache.activemq.ActiveMQConnectionFactory;

/** usage: SlowReader PORT NAME COUNT; otherwise as SlowReaders/reader.py. */
public final class SlowReader {
    private SlowReader() { }

    public static void main(String[] arguments) throws Exception {
        String url = "tcp://127.0.0.1:" + arguments[0] + "?wireFormat.maxInactivityDuration=0";
        Connection connection = new ActiveMQConnectionFactory(url).createConnection();
        connection.start();
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        MessageConsumer consumer = session.createConsumer(session.createTopic(arguments[1]));
        System.out.println("there");
        for (int left = Integer.parseInt(arguments[2]); left > 0; left--) {
            if (consumer.receive(280_000) == null) throw new IllegalStateException(left + " messages did not come");
        }
        System.out.println("all");
        System.exit(0);
    }
}
