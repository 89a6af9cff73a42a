// The netstandard2.0 library lacks the type that init accessors and records refer to.
namespace System.Runtime.CompilerServices;

internal static class IsExternalInit;
