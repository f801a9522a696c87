using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;

namespace EdgeSplit.Onnx.Runtime.Native;

/// <summary>A native session: a loaded model. Runs are thread-safe; the native object lives until the last run has ended.</summary>
internal sealed unsafe class OrtSession : SafeHandle
{
    private nint[] _names = [];

    private OrtSession()
        : base(0, ownsHandle: true)
    {
    }

    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0;

    /// <summary>The inputs that must be fed, in the model's order.</summary>
    public ImmutableArray<OrtSessionValue> Inputs { get; private set; }

    /// <summary>The outputs, in the model's order.</summary>
    public ImmutableArray<OrtSessionValue> Outputs { get; private set; }

    /// <summary>Initializers that are also inputs: they may be fed, and have a value where they are not.</summary>
    public ImmutableArray<OrtSessionValue> OptionalInputs { get; private set; }

    /// <summary>Loads a model.</summary>
    /// <exception cref="OrtFailure">ONNX Runtime rejects the model.</exception>
    public static OrtSession Create(ReadOnlySpan<byte> model, SessionOptions options)
    {
        nint environment = OrtNative.Environment;
        var session = new OrtSession();
        try
        {
            nint native;
            fixed (byte* bytes = model)
            {
                OrtNative.Check(((delegate* unmanaged<nint, void*, nuint, nint, nint*, nint>)OrtNative.Api.CreateSessionFromArray)(
                    environment, bytes, (nuint)model.Length, options.DangerousGetHandle(), &native));
            }
            GC.KeepAlive(options);
            session.SetHandle(native);
            ref readonly OrtApi api = ref OrtNative.Api;
            session.Inputs = ReadValues(native, api.SessionGetInputCount, api.SessionGetInputName, api.SessionGetInputTypeInfo);
            session.Outputs = ReadValues(native, api.SessionGetOutputCount, api.SessionGetOutputName, api.SessionGetOutputTypeInfo);
            session.OptionalInputs = ReadValues(native, api.SessionGetOverridableInitializerCount, api.SessionGetOverridableInitializerName, api.SessionGetOverridableInitializerTypeInfo);
            session._names = [.. session.Inputs.Concat(session.OptionalInputs).Concat(session.Outputs).Select(static value => Marshal.StringToCoTaskMemUTF8(value.Info.Name))];
            return session;
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    /// <summary>Runs the model.</summary>
    /// <param name="options">Lets another thread end the run; null where nobody will.</param>
    /// <param name="inputs">Values in the order of <see cref="Inputs"/> and then <see cref="OptionalInputs"/>, 0 for an optional one that is not fed.</param>
    /// <param name="outputs">Receives new values in the order of <see cref="Outputs"/>, which the caller releases.</param>
    /// <exception cref="OrtFailure">The run failed or was ended; no output is to be released.</exception>
    public void Run(RunOptions? options, ReadOnlySpan<nint> inputs, Span<nint> outputs)
    {
        Span<nint> names = inputs.Length <= 64 ? stackalloc nint[inputs.Length] : new nint[inputs.Length];
        Span<nint> values = inputs.Length <= 64 ? stackalloc nint[inputs.Length] : new nint[inputs.Length];
        int fed = 0;
        for (int i = 0; i < inputs.Length; i++)
        {
            if (inputs[i] == 0)
                continue;
            names[fed] = _names[i];
            values[fed++] = inputs[i];
        }
        outputs.Clear();
        bool referenced = false;
        try
        {
            DangerousAddRef(ref referenced);
            fixed (nint* inputNames = names, inputValues = values, outputNames = _names.AsSpan(inputs.Length), outputValues = outputs)
            {
                OrtNative.Check(((delegate* unmanaged<nint, nint, nint*, nint*, nuint, nint*, nuint, nint*, nint>)OrtNative.Api.Run)(
                    handle, options?.DangerousGetHandle() ?? 0, inputNames, inputValues, (nuint)fed, outputNames, (nuint)outputs.Length, outputValues));
            }
            GC.KeepAlive(options);
        }
        catch
        {
            foreach (nint output in outputs)
                OrtNative.ReleaseValue(output);
            outputs.Clear();
            throw;
        }
        finally
        {
            if (referenced)
                DangerousRelease();
        }
    }

    /// <summary>Ends profiling and returns the path of the file it wrote.</summary>
    public string EndProfiling()
    {
        nint allocator = DefaultAllocator();
        byte* path;
        OrtNative.Check(((delegate* unmanaged<nint, nint, byte**, nint>)OrtNative.Api.SessionEndProfiling)(handle, allocator, &path));
        return TakeString(allocator, path);
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        ((delegate* unmanaged<nint, void>)OrtNative.Api.ReleaseSession)(handle);
        foreach (nint name in _names)
            Marshal.FreeCoTaskMem(name);
        NativeHeap.Trim();
        return true;
    }

    private static ImmutableArray<OrtSessionValue> ReadValues(nint session, nint countFunction, nint nameFunction, nint typeFunction)
    {
        nuint count;
        OrtNative.Check(((delegate* unmanaged<nint, nuint*, nint>)countFunction)(session, &count));
        nint allocator = DefaultAllocator();
        var values = ImmutableArray.CreateBuilder<OrtSessionValue>((int)count);
        for (nuint i = 0; i < count; i++)
        {
            byte* name;
            OrtNative.Check(((delegate* unmanaged<nint, nuint, nint, byte**, nint>)nameFunction)(session, i, allocator, &name));
            nint type;
            string text = TakeString(allocator, name);
            OrtNative.Check(((delegate* unmanaged<nint, nuint, nint*, nint>)typeFunction)(session, i, &type));
            values.Add(OrtTypeReader.Take(type, text));
        }
        return values.MoveToImmutable();
    }

    private static nint DefaultAllocator()
    {
        nint allocator;
        OrtNative.Check(((delegate* unmanaged<nint*, nint>)OrtNative.Api.GetAllocatorWithDefaultOptions)(&allocator));
        return allocator;
    }

    private static string TakeString(nint allocator, byte* text)
    {
        string result = OrtNative.Utf8(text);
        OrtNative.Check(((delegate* unmanaged<nint, void*, nint>)OrtNative.Api.AllocatorFree)(allocator, text));
        return result;
    }
}
