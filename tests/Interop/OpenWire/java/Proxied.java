import javax.jms.Connection;
import javax.jms.Queue;
import javax.jms.Session;
import javax.jms.TextMessage;
import org.apache.activemq.ActiveMQConnectionFactory;

/** usage: Proxied PORT PASSWORD [TRUSTSTORE STOREPASSWORD]; otherwise as Proxies/client.py. */
public final class Proxied {
    private Proxied() { }

    public static void main(String[] arguments) throws Exception {
        boolean isTls = arguments.length > 2;
        if (isTls) {
            System.setProperty("javax.net.ssl.trustStore", arguments[2]);
            System.setProperty("javax.net.ssl.trustStorePassword", arguments[3]);
        }
        String url = (isTls ? "ssl" : "tcp") + "://localhost:" + arguments[0];
        Connection connection = new ActiveMQConnectionFactory("alice", arguments[1], url).createConnection();
        connection.start();
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        Queue queue = session.createQueue("openwire." + arguments[0]);
        session.createProducer(queue).send(session.createTextMessage("hello"));
        TextMessage got = (TextMessage) session.createConsumer(queue).receive(30_000);
        if (got == null || !got.getText().equals("hello")) throw new IllegalStateException("no message came");
        System.out.println("there");
        while (System.in.read() >= 0) { }
        connection.close();
        System.out.println("ok");
    }
}
