System.Console.WriteLine("pillarbox");
