using EdgeSplit.Onnx.Runtime.Native;
using Microsoft.ML.OnnxRuntime;

namespace EdgeSplit.Onnx.Runtime;

/// <summary>Turns our options into a session's.</summary>
internal static class SessionSettings
{
    private const int SameAsRequested = 1;
    private static readonly Lazy<bool> SharedArena = new(RegisterSharedArena);

    /// <summary>Creates a session's options, which the caller disposes of.</summary>
    /// <param name="options">What the user wants.</param>
    /// <param name="externalDataFolder">The folder that a model loaded from bytes takes its external data from.</param>
    /// <param name="sharesArena">Whether its memory is the arena's that sessions share, or goes back to the system with it.</param>
    public static SessionOptions Create(OnnxRuntimeOptions options, string externalDataFolder, bool sharesArena)
    {
        // The check for the native library comes first: without it the binding's types fail in less helpful ways.
        _ = OrtNative.Environment;
        var settings = new SessionOptions
        {
            GraphOptimizationLevel = options.Optimization switch
            {
                GraphOptimization.Off => GraphOptimizationLevel.ORT_DISABLE_ALL,
                GraphOptimization.Basic => GraphOptimizationLevel.ORT_ENABLE_BASIC,
                _ => GraphOptimizationLevel.ORT_ENABLE_ALL,
            },
            IntraOpNumThreads = options.ThreadCount,
            InterOpNumThreads = 1,
            // Failures come back as exceptions; a library does not write to the console.
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL,
        };
        settings.AddSessionConfigEntry("session.model_external_initializers_file_folder_path", Path.GetFullPath(externalDataFolder));
        // Measured: threads that spin between runs take a whole core from the other partitions on the machine.
        settings.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
        if (sharesArena && SharedArena.Value)
            settings.AddSessionConfigEntry("session.use_env_allocators", "1");
        return settings;
    }

    /// <summary>
    /// Lets a load write what ONNX Runtime makes of the model. Weights go to a file of their own beside it, so that only the graph is read back and nothing
    /// is limited to 2 GB.
    /// </summary>
    public static void SaveOptimized(SessionOptions settings, string path, string weightsName)
    {
        settings.OptimizedModelFilePath = path;
        settings.AddSessionConfigEntry("session.optimized_model_external_initializers_file_name", weightsName);
        settings.AddSessionConfigEntry("session.optimized_model_external_initializers_min_size_in_bytes", "1024");
    }

    /// <summary>
    /// One arena for all sessions: measured 1.3 MiB a session where arenas of their own take 10. It never gives memory back, so
    /// it grows by what is asked for rather than to twice its size.
    /// </summary>
    private static bool RegisterSharedArena()
    {
        try
        {
            using var arena = new OrtArenaCfg(0, SameAsRequested, -1, -1);
            using var memory = new OrtMemoryInfo(OrtMemoryInfo.allocatorCPU, OrtAllocatorType.ArenaAllocator, 0, OrtMemType.Default);
            OrtEnv.Instance().CreateAndRegisterAllocator(memory, arena);
            return true;
        }
        catch (OnnxRuntimeException)
        {
            // The application registered an allocator itself. Whether ours may share it is for the application to say.
            return false;
        }
    }
}
