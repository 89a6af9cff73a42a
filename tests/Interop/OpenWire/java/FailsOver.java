import javax.jms.Connection;
import javax.jms.MessageConsumer;
import javax.jms.MessageProducer;
import javax.jms.Session;
import javax.jms.TextMessage;
import org.apache.activemq.ActiveMQConnectionFactory;

/**
 * usage: FailsOver HOST:PORT. Sends and receives over the failover transport, which knows that one place, and says
 * "ready". At the next line of its input it does so again; "ok" is its last line when that went well too.
 */
public final class FailsOver {
    private FailsOver() { }

    public static void main(String[] arguments) throws Exception {
        String url = "failover:(tcp://" + arguments[0] + ")?initialReconnectDelay=20&maxReconnectDelay=100"
            + "&useExponentialBackOff=false";
        Connection connection = new ActiveMQConnectionFactory(url).createConnection();
        connection.start();
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        MessageProducer producer = session.createProducer(session.createQueue("failsOver"));
        MessageConsumer consumer = session.createConsumer(session.createQueue("failsOver"));
        for (String word : new String[] { "ready", "ok" }) {
            producer.send(session.createTextMessage(word));
            System.out.println(((TextMessage) consumer.receive(60_000)).getText());
            if (word.equals("ready")) System.in.read();
        }
        System.exit(0);
    }
}
