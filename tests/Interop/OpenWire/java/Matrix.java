import javax.jms.BytesMessage;
import javax.jms.Connection;
import javax.jms.DeliveryMode;
import javax.jms.Destination;
import javax.jms.Message;
import javax.jms.MessageConsumer;
import javax.jms.MessageProducer;
import javax.jms.Queue;
import javax.jms.Session;
import javax.jms.TemporaryQueue;
import javax.jms.TemporaryTopic;
import javax.jms.TextMessage;
import javax.jms.Topic;
import org.apache.activemq.ActiveMQConnectionFactory;

/**
 * usage: Matrix HOST:PORT send ADDRESS | subscribe ADDRESS | receive ADDRESS COUNT. Sends a message for each kind of
 * reply-to, or prints each that comes as a line of JSON. Subscriptions are durable; an address that begins with /topic/ is a topic.
 */
public final class Matrix {
    private static final String TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    private static final long WAIT = 30_000;
    private static final long LIFE = 600_000;
    private static final String TOPIC = "/topic/";

    public static void main(String[] arguments) throws Exception {
        String address = arguments[2];
        Connection connection = new ActiveMQConnectionFactory("tcp://" + arguments[0]).createConnection();
        if (!arguments[1].equals("send")) connection.setClientID("matrix");
        connection.start();
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        if (arguments[1].equals("send")) send(session, address);
        else receive(session, address, arguments.length > 3 ? Integer.parseInt(arguments[3]) : 0);
        connection.close();
        System.out.println("ok");
    }

    private static Destination destination(Session session, String address) throws Exception {
        return address.startsWith(TOPIC)
            ? session.createTopic(address.substring(TOPIC.length())) : session.createQueue(address);
    }

    private static void send(Session session, String address) throws Exception {
        MessageProducer producer = session.createProducer(destination(session, address));
        for (String kind : new String[] { "queue", "topic", "temporary" }) {
            TextMessage message = session.createTextMessage("gr\u00fc\u00dfe von openwire");
            message.setStringProperty("color", "red:openwire");
            message.setStringProperty("traceparent", TRACE);
            message.setStringProperty("asked", kind);
            message.setJMSCorrelationID("c-openwire");
            message.setJMSReplyTo(kind.equals("queue") ? session.createQueue("answers")
                : kind.equals("topic") ? session.createTopic("answers") : session.createTemporaryQueue());
            producer.send(message, DeliveryMode.PERSISTENT, 7, LIFE);
        }
    }

    private static void receive(Session session, String address, int count) throws Exception {
        Topic topic = session.createTopic(address.substring(TOPIC.length()));
        MessageConsumer consumer = session.createDurableSubscriber(topic, address.substring(TOPIC.length()));
        for (int i = 0; i < count; i++) show(consumer.receive(WAIT));
    }

    private static void show(Message message) throws Exception {
        Destination reply = message.getJMSReplyTo();
        String text = message instanceof TextMessage ? ((TextMessage) message).getText() : bytes((BytesMessage) message);
        String line = String.join(", ",
            field("body", text), field("color", message.getStringProperty("color")),
            field("trace", message.getStringProperty("traceparent")),
            field("correlation", message.getJMSCorrelationID()),
            field("reply", reply instanceof Queue ? ((Queue) reply).getQueueName()
                : reply instanceof Topic ? ((Topic) reply).getTopicName() : null),
            field("asked", message.getStringProperty("asked")), field("kind", kind(reply)),
            "\"priority\": " + message.getJMSPriority(), "\"expires\": " + (message.getJMSExpiration() > 0
                ? "" + (message.getJMSExpiration() - System.currentTimeMillis()) : "null"));
        System.out.write(("{" + line + "}\n").getBytes("UTF-8"));
    }

    private static String kind(Destination reply) {
        return reply instanceof TemporaryQueue ? "temp-queue" : reply instanceof TemporaryTopic ? "temp-topic"
            : reply instanceof Queue ? "queue" : reply instanceof Topic ? "topic" : null;
    }

    private static String bytes(BytesMessage message) throws Exception {
        byte[] body = new byte[(int) message.getBodyLength()];
        message.readBytes(body);
        return new String(body, "UTF-8");
    }

    private static String field(String name, String value) {
        return "\"" + name + "\": " + (value == null ? "null" : "\"" + value + "\"");
    }
}
